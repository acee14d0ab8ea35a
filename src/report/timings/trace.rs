//! Chrome's trace event format: complete events (`ph: X`) in microseconds, a thread for each core.
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Timings;
use crate::event::Outcome;

/// Threads are numbered from 1; this one is pyqa itself.
const OWN_THREAD: usize = 1;

pub(super) fn write(timings: &Timings, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &document(timings, outcome))?;
    writeln!(out)
}

fn document(timings: &Timings, outcome: &Outcome) -> Value {
    let name = |what: &str, thread: usize, name: String| json!({ "name": what, "ph": "M", "pid": 1, "tid": thread, "args": { "name": name } });
    let mut events = vec![
        name("process_name", OWN_THREAD, "pyqa".to_owned()),
        name("thread_name", OWN_THREAD, "pyqa".to_owned()),
    ];
    events.extend(
        (0..timings.lanes())
            .map(|lane| name("thread_name", thread_of(lane), format!("core {}", lane + 1))),
    );
    let complete = |name: &str, category: &str, thread: usize, from: f64, to: f64, args: Value| {
        json!({
            "name": name, "cat": category, "ph": "X", "pid": 1, "tid": thread,
            "ts": microseconds(from), "dur": microseconds((to - from).max(0.0)), "args": args,
        })
    };
    if let Some(planned) = timings.planned {
        let to = timings.at(planned);
        events.push(complete("plan", "pyqa", OWN_THREAD, 0.0, to, json!({})));
    }
    for span in &timings.spans {
        let files: Vec<_> = span.files.iter().map(|file| file.to_text().into_owned()).collect();
        let args = json!({ "files": files });
        let (from, to) = (timings.at(span.start), timings.at(span.end));
        for &lane in &span.lanes {
            let thread = thread_of(lane);
            events.push(complete(span.tool.as_str(), "tool", thread, from, to, args.clone()));
        }
    }
    json!({
        "displayTimeUnit": "ms",
        "traceEvents": events,
        "otherData": {
            "version": env!("CARGO_PKG_VERSION"),
            "exit_code": outcome.status.code(),
        },
    })
}

fn thread_of(lane: usize) -> usize {
    OWN_THREAD + 1 + lane
}

/// Whole microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, small")]
fn microseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use crate::report::samples;

    #[test]
    fn each_process_is_a_complete_event_in_the_thread_of_its_core() {
        let document = document(&sample(), &samples::outcome());
        let events = document["traceEvents"].as_array().unwrap();
        let complete: Vec<_> = events
            .iter()
            .filter(|event| event["ph"] == "X")
            .map(|event| {
                (
                    event["name"].as_str().unwrap(),
                    event["tid"].as_u64().unwrap(),
                    event["ts"].as_u64().unwrap(),
                    event["dur"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            complete,
            [
                ("plan", 1, 0, 500_000),
                ("mypy", 2, 500_000, 1_000_000),
                ("black", 2, 1_500_000, 500_000),
                ("pytest", 3, 500_000, 4_000_000),
            ]
        );
        let named = events.iter().filter(|event| event["name"] == "thread_name").count();
        assert_eq!(named, 3);
    }
}
