//! A document from bytes, and an overlay behind a line `---`: whatever it is, nothing is left out of what is normalised already.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perenso_openapi::{Document, Options, Overlay, compare, normalize};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (text, overlay) = text.split_once("\n---\n").unwrap_or((text, ""));
    let Ok(mut document) = Document::from_json(text) else { return };
    if let Ok(overlay) = Overlay::from_json(overlay)
        && let Ok(overlaid) = overlay.apply(&document)
    {
        document = overlaid;
    }
    let normalized = normalize(&document, &Options::default());
    assert_eq!(normalized.root["openapi"], "3.0.3");
    let _ = (normalized.report.to_markdown(), normalized.report.to_string());
    let plain = Document::from_value(normalized.root.clone()).expect("a normalised document is no document");
    let again = normalize(&plain, &Options::default());
    assert_eq!(again.report.left_out().count(), 0, "{}", again.report.to_markdown());
    assert!(compare(&document, &document).differences.is_empty());
});
