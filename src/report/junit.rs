//! JUnit XML: pytest's cases one by one, and a suite for each linter in which every finding is a
//! failed case. A tool that could not answer is a case with an error.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::escape::{self, xml_text};
use super::place::Place;
use super::region::Region;
use super::{Report, ReportContext, failures};
use crate::event::{Failure, Outcome, ToolReport};
use crate::finding::{Finding, Severity, TestOutcome};

/// Characters of the message in an attribute; the text holds it whole.
const MESSAGE_LIMIT: usize = 1_000;

/// `--output-format junit`
pub struct JUnit;

impl Report for JUnit {
    /// Notes are left out: a case has passed or failed. So are the tests' captured times of day,
    /// so that equal runs give equal files.
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut report = quick_junit::Report::new("pyqa");
        report.set_time(outcome.elapsed);
        for tool in &outcome.tools {
            let findings: Vec<&Finding> = outcome
                .findings
                .iter()
                .filter(|f| f.tool == tool.tool && f.severity != Severity::Note)
                .collect();
            report.add_test_suite(suite(tool, &findings, context));
        }
        let xml = report.to_string().map_err(io::Error::other)?;
        out.write_all(without_skipped_total(&xml).as_bytes())
    }
}

/// Jenkins' xUnit plugin checks reports against its `junit-10.xsd`, which knows the number of
/// skipped cases for suites only and not, as quick-junit writes it, for all of them together.
fn without_skipped_total(xml: &str) -> String {
    let root = xml.find("<testsuites ").unwrap_or(0);
    let end = xml[root..].find('>').map_or(xml.len(), |at| root + at);
    let attribute = xml[root..end].find(" skipped=\"").map(|at| root + at);
    let close = attribute.and_then(|at| {
        let value = at + " skipped=\"".len();
        xml[value..end].find('"').map(|quote| value + quote + 1)
    });
    match (attribute, close) {
        (Some(from), Some(to)) => format!("{}{}", &xml[..from], &xml[to..]),
        _ => xml.to_owned(),
    }
}

fn suite(tool: &ToolReport, findings: &[&Finding], context: &ReportContext) -> TestSuite {
    let mut suite = TestSuite::new(text(tool.tool.as_str()));
    suite.set_time(tool.elapsed);
    let mut by_test: HashMap<&str, &Finding> =
        findings.iter().filter_map(|f| Some((f.test.as_deref()?, *f))).collect();
    for test in &tool.tests {
        suite.add_test_case(test_case(test, by_test.remove(test.id.as_str())));
    }
    let mut names = Names::default();
    // What pytest tells beside its tests, and all that a linter tells.
    let shown_with_test = |f: &&&Finding| {
        f.test.as_ref().is_some_and(|id| tool.tests.iter().any(|test| test.id == *id))
    };
    for finding in findings.iter().filter(|f| !shown_with_test(f)) {
        suite.add_test_case(finding_case(finding, context, &mut names));
    }
    for failure in &tool.failures {
        suite.add_test_case(failure_case(tool, failure));
    }
    if suite.test_cases.is_empty() {
        // Some readers refuse a suite without cases.
        suite.add_test_case(case("no findings", tool.tool.as_str(), TestCaseStatus::success()));
    }
    suite
}

/// Named as in pytest's own report: `tests/test_a.py::TestX::test_y[1]` is the case `test_y[1]` of
/// the class `tests.test_a.TestX`.
fn test_case(test: &crate::finding::TestCase, finding: Option<&Finding>) -> TestCase {
    let (class, name) = split_id(&test.id);
    let mut status = match test.outcome {
        TestOutcome::Passed | TestOutcome::Xpassed => TestCaseStatus::success(),
        TestOutcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        TestOutcome::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        TestOutcome::Skipped | TestOutcome::Xfailed => TestCaseStatus::skipped(),
        TestOutcome::Known => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("failed; the baseline accepts that");
            status
        }
    };
    if let Some(finding) = finding {
        describe(&mut status, finding);
    }
    let mut case = case(&name, &class, status);
    case.set_time(Duration::try_from_secs_f64(test.seconds).unwrap_or_default());
    case
}

/// Class and name of a node id. The parameters in brackets may hold anything.
fn split_id(id: &str) -> (String, String) {
    let (head, parameters) = id.find('[').map_or((id, ""), |at| id.split_at(at));
    let mut parts = head.split("::");
    let file = parts.next().unwrap_or_default();
    let names: Vec<&str> = parts.collect();
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    match names.split_last() {
        None => (String::new(), id.to_owned()),
        Some((name, classes)) => {
            let class: Vec<&str> =
                std::iter::once(module.as_str()).chain(classes.iter().copied()).collect();
            (class.join("."), format!("{name}{parameters}"))
        }
    }
}

fn finding_case(finding: &Finding, context: &ReportContext, names: &mut Names) -> TestCase {
    let location = finding.location.as_ref();
    let path = location.map_or_else(
        || finding.tool.to_string(),
        |l| context.platform_path(&l.path).to_text().into_owned(),
    );
    let code = finding.code.as_deref().unwrap_or("finding");
    let name = match location.and_then(Region::of) {
        Some(Region { line, column: Some(column), .. }) => {
            format!("{code} at line {line}, column {column}")
        }
        Some(Region { line, .. }) => format!("{code} at line {line}"),
        None => code.to_owned(),
    };
    let kind = match &finding.test {
        Some(_) => NonSuccessKind::Error,
        None => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    describe(&mut status, finding);
    case(&names.distinct(&path, name), &path, status)
}

fn failure_case(tool: &ToolReport, failure: &Failure) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(summary(&failure.message));
    status.set_description(text(&failure.output));
    let name = format!("{} {}", tool.tool, failures::verb(failure.kind));
    case(&name, tool.tool.as_str(), status)
}

fn describe(status: &mut TestCaseStatus, finding: &Finding) {
    let mut lines = Vec::new();
    if let Some(location) = &finding.location {
        lines.push(format!("{}: {}", Place(location), finding.message));
    }
    lines.extend(finding.details.iter().cloned());
    lines.extend(finding.diff.iter().cloned());
    status.set_message(summary(&finding.message));
    if let Some(code) = &finding.code {
        status.set_type(text(code));
    }
    if !lines.is_empty() {
        status.set_description(text(&lines.join("\n")));
    }
}

fn case(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(text(name), status);
    case.set_classname(text(class));
    case
}

/// One line for an attribute.
fn summary(message: &str) -> XmlString {
    let message = console::strip_ansi_codes(message);
    text(&escape::cut(&escape::one_line(&message), MESSAGE_LIMIT))
}

/// Without terminal codes and with nothing that XML cannot hold. Tabs become spaces: [`XmlString`]
/// would drop them.
fn text(text: &str) -> XmlString {
    XmlString::new(xml_text(&console::strip_ansi_codes(text)).replace('\t', "    "))
}

/// Makes names of cases distinct within a class: some readers keep only one of equal ones.
#[derive(Default)]
struct Names(HashMap<(String, String), u32>);

impl Names {
    fn distinct(&mut self, class: &str, name: String) -> String {
        let count = self.0.entry((class.to_owned(), name.clone())).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        JUnit.write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tests_are_cases_and_findings_are_failed_cases() {
        insta::assert_snapshot!(shown(&samples::outcome()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="pyqa" tests="9" failures="5" errors="0" time="1.234">
            <testsuite name="black" tests="1" skipped="0" errors="0" failures="1" time="0.420">
                <testcase name="format" classname="src/a.py">
                    <failure message="would be reformatted" type="format">src/a.py: would be reformatted
        --- src/a.py
        +++ src/a.py
        @@ -2,4 +2,4 @@
         
         
         def f(x: int) -&gt; str:
        -    return x
        +    return x
        </failure>
                </testcase>
            </testsuite>
            <testsuite name="mypy" tests="2" skipped="0" errors="0" failures="2" time="0.420">
                <testcase name="return-value at line 5, column 9" classname="src/a.py">
                    <failure message="Incompatible return value type (got &quot;int&quot;, expected &quot;str&quot;)" type="return-value">src/a.py:5:9: Incompatible return value type (got &quot;int&quot;, expected &quot;str&quot;)
        See the documentation for more</failure>
                </testcase>
                <testcase name="finding" classname="mypy">
                    <failure message="unused section(s) in mypy.ini"/>
                </testcase>
            </testsuite>
            <testsuite name="pytest" tests="4" skipped="1" errors="0" failures="1" time="1.100">
                <testcase name="test_f" classname="tests.test_a" time="0.250">
                    <failure message="AssertionError: assert &apos;1&apos; == &apos;2&apos;" type="failed">tests/test_a.py:2:1: AssertionError: assert &apos;1&apos; == &apos;2&apos;
            def test_f():
        &gt;       assert f(1) == &apos;2&apos;
        E       AssertionError: assert &apos;1&apos; == &apos;2&apos;
        E         - 2
        E         + 1</failure>
                </testcase>
                <testcase name="test_g[1]" classname="tests.test_a" time="0.250"/>
                <testcase name="test_h" classname="tests.test_a.TestG" time="0.250"/>
                <testcase name="test_i" classname="tests.test_a" time="0.250">
                    <skipped/>
                </testcase>
            </testsuite>
            <testsuite name="flake8" tests="1" skipped="0" errors="0" failures="1" time="0.420">
                <testcase name="F401 at line 1, column 8" classname="src/a.py">
                    <failure message="&apos;os&apos; imported but unused" type="F401">src/a.py:1:8: &apos;os&apos; imported but unused</failure>
                </testcase>
            </testsuite>
            <testsuite name="bandit" tests="1" skipped="0" errors="0" failures="0" time="0.420">
                <testcase name="no findings" classname="bandit"/>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn a_tool_without_an_answer_is_an_error() {
        let report =
            quick_junit::Report::deserialize_from_str(&shown(&samples::crashed())).unwrap();
        let errors: Vec<_> = report.test_suites.iter().map(|suite| suite.errors).collect();
        assert_eq!(errors, [1, 1, 0]);
        assert_eq!(report.test_suites[2].tests, 1);
    }

    #[test]
    fn the_total_of_skipped_cases_is_left_out() {
        let text = shown(&samples::outcome());
        let root = text.lines().find(|line| line.starts_with("<testsuites")).unwrap();
        assert!(!root.contains("skipped"), "{root}");
        assert!(text.contains("<testsuite name=\"pytest\" tests=\"4\" skipped=\"1\""), "{text}");
        assert_eq!(without_skipped_total("<testsuites name=\"a\">"), "<testsuites name=\"a\">");
    }

    #[test]
    fn node_ids_are_split_as_pytest_does() {
        let split = |id| split_id(id);
        let pair = |class: &str, name: &str| (class.to_owned(), name.to_owned());
        assert_eq!(split("t/test_a.py::test_x"), pair("t.test_a", "test_x"));
        assert_eq!(split("test_a.py::A::B::test_x[a::b]"), pair("test_a.A.B", "test_x[a::b]"));
        assert_eq!(split("t/test_a.py"), pair("", "t/test_a.py"));
    }

    #[test]
    fn hostile_findings_can_be_read_back() {
        let outcome = samples::hostile();
        let report = quick_junit::Report::deserialize_from_str(&shown(&outcome)).unwrap();
        assert_eq!(report.failures, 0);
        assert_eq!(report.errors, outcome.findings.len());
    }

    #[test]
    fn equal_places_have_distinct_names() {
        let mut outcome = samples::outcome();
        outcome.findings = vec![samples::style("a.py", 1), samples::style("a.py", 1)];
        let text = shown(&outcome);
        assert!(text.contains("\"E501 at line 1, column 80\""), "{text}");
        assert!(text.contains("\"E501 at line 1, column 80 (2)\""), "{text}");
    }
}
