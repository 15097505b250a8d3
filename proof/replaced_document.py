"""Writes a document in place of the vendor's, made of the project's own: `replaced_document.py KIND FILE`.

- `needed`: nothing but what `facade.json` names. That the SDK builds from it shows that its methods use nothing else.
- `exported`: as a documentation tool exports it, without names, required parts, formats or references.
- `other`: one operation that no method knows.
- a number: random parts are missing or different.
- `methods`: no document, but the names of all methods on the standard output.
"""

import json
import random
import sys
from pathlib import Path

OPENAPI = Path(__file__).parent.parent / "openapi"
OURS = json.loads((OPENAPI / "perenso.json").read_text())
FACADE = json.loads((OPENAPI / "facade.json").read_text())["operations"]
TYPES = ["string", "integer", "number", "boolean", "object"]
METHODS = {"get", "put", "post", "delete"}
# Parts that a tool does not write, and marks of the project.
UNWRITTEN = {"nullable", "pattern", "minLength", "minimum", "maximum", "format", "links", "operationId"}


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def strip(document, keep_parameter, keep_field):
    for name, operation in operations(document):
        parameters = operation.get("parameters", [])
        operation["parameters"] = [p for p in parameters if p["in"] == "path" or keep_parameter(name, p["name"])]
    for record, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {})
        # A record without any field is none.
        kept = [field for field in fields if keep_field(record, field)] or list(fields)[:1]
        schema["properties"] = {field: fields[field] for field in kept}
        schema["required"] = [field for field in schema.get("required", []) if field in kept]
        for member in ("properties", "required"):
            schema[member] or schema.pop(member)
    return document


def needed():
    methods = [(name, method) for name, node in FACADE.items() for method in node["methods"].values()]
    sent = {(name, parameter) for name, method in methods for parameter in method.get("query", {})}
    used = {field for _, method in methods for field in method.get("fields", {})}
    return strip(OURS, lambda *parameter: parameter in sent, lambda *field: ".".join(field) in used)


def exported():
    def inline(node):
        if isinstance(node, list):
            return [inline(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            part = OURS
            for name in node["$ref"].removeprefix("#/").split("/"):
                part = part[name]
            return inline(part)
        if len(node.get("allOf", [])) == 1:
            return inline(node["allOf"][0])
        if "oneOf" in node:
            return inline(node["oneOf"][-1])
        parts = {name: inline(part) for name, part in node.items() if name not in UNWRITTEN and not name.startswith("x-")}
        if not isinstance(parts.get("required", False), bool) or node.get("content"):
            parts.pop("required", None)
        return parts

    document = {"openapi": "3.1.0", "info": OURS["info"], "paths": {}}
    for path, item in OURS["paths"].items():
        for method, operation in item.items():
            operation = inline(operation)
            operation["tags"] = ["All " + tag for tag in operation["tags"]]
            operation["responses"] = {"200": next(iter(operation["responses"].values()))}
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    parameter["name"] = "recordNumber"
            document["paths"].setdefault(path.replace("{id}", "{recordNumber}"), {})[method] = operation
    # The same record has other fields in each call.
    create = document["paths"]["/Customer"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    del create["id"], create["modifiedDate"]
    create["priceZone"] = {"type": "string"}
    return document


def other():
    response = {"200": {"description": "The halls.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {"openapi": "3.0.3", "info": OURS["info"], "paths": {"/Hall": {"get": {"responses": response}}}}


def random_parts(seed):
    dice = random.Random(seed)
    for name, operation in list(operations(OURS)):
        method, path = name.split(" ")
        if dice.random() < 0.2:
            del OURS["paths"][path][method.lower()]
        for parameter in operation.get("parameters", []):
            if dice.random() < 0.1:
                parameter["schema"] = {"type": dice.choice(TYPES)}
        for body in [operation.get("requestBody", {}), operation["responses"].get("200", {})]:
            for media in body.get("content", {}).values():
                if dice.random() < 0.1:
                    media["schema"] = {"type": "array", "items": media["schema"]}
    for schema in OURS["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if dice.random() < 0.05:
                field.clear()
                field["type"] = dice.choice(TYPES)
    return strip(OURS, lambda *_: dice.random() < 0.95, lambda *_: dice.random() < 0.97)


kind, file = sys.argv[1:]
if kind == "methods":
    print("\n".join(sorted({method for node in FACADE.values() for method in node["methods"]})))
    sys.exit()
document = {"needed": needed, "exported": exported, "other": other}.get(kind, lambda: random_parts(int(kind)))()
# It is not the project's own any more.
document.pop("x-pages", None)
Path(file).write_text(json.dumps(document, indent=2) + "\n")
