//! Workbooks as Excel writes them, part by part.

use std::{fs::File, io::Write, path::Path};

use zip::{ZipWriter, write::SimpleFileOptions};

/// The style of a date in [`STYLES`].
pub(crate) const DATE: &str = "s=\"1\"";

/// The style of a number that is shown with four digits.
pub(crate) const ZEROS: &str = "s=\"2\"";

/// The style of a percentage.
pub(crate) const PERCENT: &str = "s=\"3\"";

const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="0000"/></numFmts><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="9"/></cellXfs></styleSheet>"#;

const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

/// Writes a workbook with these sheets: name, rows of cells, and what follows the rows. A cell is its attributes and content.
pub(crate) fn write(path: &Path, sheets: &[(&str, &str, &str)]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let mut part = |name: &str, content: &str| {
        zip.start_file(name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut listed, mut related) = (String::new(), String::new());
    for (index, (name, rows, rest)) in sheets.iter().enumerate() {
        let number = index + 1;
        listed += &format!(r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>"#);
        related += &format!(
            r#"<Relationship Id="rId{number}" Type="{types}/worksheet" Target="worksheets/sheet{number}.xml"/>"#
        );
        let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{rest}</worksheet>"#);
        part(&format!("xl/worksheets/sheet{number}.xml"), &sheet);
    }
    part(
        "xl/workbook.xml",
        &format!(r#"<workbook xmlns="{main}" xmlns:r="{types}"><sheets>{listed}</sheets></workbook>"#),
    );
    let styles = format!(r#"<Relationship Id="rId0" Type="{types}/styles" Target="styles.xml"/>"#);
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(r#"<Relationships xmlns="{package}">{styles}{related}</Relationships>"#),
    );
    part("xl/styles.xml", STYLES);
    part("_rels/.rels", ROOT);
    part("[Content_Types].xml", r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#);
    zip.finish().unwrap();
}

/// Returns a row of cells.
pub(crate) fn row(number: usize, cells: &[String]) -> String {
    format!(r#"<row r="{number}">{}</row>"#, cells.concat())
}

/// Returns a cell with text.
pub(crate) fn text(address: &str, text: &str) -> String {
    format!(r#"<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

/// Returns a cell with a value and these attributes.
pub(crate) fn value(address: &str, attributes: &str, value: &str) -> String {
    format!(r#"<c r="{address}" {attributes}><v>{value}</v></c>"#)
}
