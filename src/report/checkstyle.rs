//! Checkstyle's XML: findings by file, which many CI systems and editors read.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::escape::xml_text;
use super::region::Region;
use super::{Report, ReportContext};
use crate::event::Outcome;
use crate::finding::{Finding, Severity};
use crate::paths::RelPath;

/// The version of Checkstyle whose form this is; readers do not look at it.
const CHECKSTYLE_VERSION: &str = "10.0";

/// `--output-format checkstyle`
pub struct Checkstyle;

impl Report for Checkstyle {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let root = BytesStart::new("checkstyle").with_attributes([("version", CHECKSTYLE_VERSION)]);
        let root_end = root.to_end().into_owned();
        xml.write_event(Event::Start(root.borrow()))?;
        for group in outcome.findings.chunk_by(|a, b| path(a) == path(b)) {
            let name = group.first().and_then(|finding| path(finding)).map_or_else(
                || ".".to_owned(),
                |p| context.platform_path(p).to_text().into_owned(),
            );
            let file = BytesStart::new("file").with_attributes([("name", &*xml_text(&name))]);
            xml.write_event(Event::Start(file.borrow()))?;
            for finding in group {
                xml.write_event(Event::Empty(error(finding)))?;
            }
            xml.write_event(Event::End(file.to_end()))?;
        }
        xml.write_event(Event::End(root_end))?;
        writeln!(out)
    }
}

fn path(finding: &Finding) -> Option<&RelPath> {
    finding.location.as_ref().map(|location| &location.path)
}

fn error(finding: &Finding) -> BytesStart<'static> {
    let mut error = BytesStart::new("error");
    if let Some(region) = finding.location.as_ref().and_then(Region::of) {
        error.push_attribute(("line", region.line.to_string().as_str()));
        if let Some(column) = region.column {
            error.push_attribute(("column", column.to_string().as_str()));
        }
    }
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    error.push_attribute(("severity", severity));
    let message = console::strip_ansi_codes(&finding.message);
    error.push_attribute(("message", &*xml_text(&message)));
    let source = match &finding.code {
        Some(code) => format!("{}.{code}", finding.tool),
        None => finding.tool.to_string(),
    };
    error.push_attribute(("source", &*xml_text(&source)));
    error
}

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, XmlVersion};

    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        Checkstyle.write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_are_grouped_by_file() {
        insta::assert_snapshot!(shown(&samples::outcome()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <checkstyle version="10.0">
          <file name="src/a.py">
            <error severity="warning" message="would be reformatted" source="black.format"/>
            <error line="1" column="8" severity="error" message="&apos;os&apos; imported but unused" source="flake8.F401"/>
            <error line="5" column="9" severity="error" message="Incompatible return value type (got &quot;int&quot;, expected &quot;str&quot;)" source="mypy.return-value"/>
          </file>
          <file name="src/missing.py">
            <error line="3" column="1" severity="info" message="Use of assert detected." source="bandit.B101"/>
          </file>
          <file name="tests/test_a.py">
            <error line="2" column="1" severity="error" message="AssertionError: assert &apos;1&apos; == &apos;2&apos;" source="pytest.failed"/>
          </file>
          <file name=".">
            <error severity="warning" message="unused section(s) in mypy.ini" source="mypy"/>
          </file>
        </checkstyle>
        "#);
    }

    #[test]
    fn hostile_findings_can_be_read_back() {
        let outcome = samples::hostile();
        let text = shown(&outcome);
        let mut reader = Reader::from_str(&text);
        let mut messages = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Empty(error) => {
                    let message = error.try_get_attribute("message").unwrap().unwrap();
                    messages.push(
                        message.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned(),
                    );
                }
                _ => {}
            }
        }
        let expected: Vec<_> = outcome
            .findings
            .iter()
            .map(|f| xml_text(&console::strip_ansi_codes(&f.message)).into_owned())
            .collect();
        assert_eq!(messages, expected);
    }
}
