//! Lines in the embedder's log.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use swim_tokio::swim_core::Config;
use tokio::net::TcpListener;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::support::builder;

/// Keeps each line with the fields of the span that it was told in.
#[derive(Clone, Default)]
struct Log(Arc<Kept>);

#[derive(Default)]
struct Kept {
    last: AtomicU64,
    spans: Mutex<HashMap<u64, String>>,
    entered: Mutex<Vec<u64>>,
    lines: Mutex<Vec<String>>,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("swim")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let id = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.0.spans.lock().unwrap().insert(id, fields.0);
        span::Id::from_u64(id)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let entered = self.0.entered.lock().unwrap();
        let spans = self.0.spans.lock().unwrap();
        let span = entered.last().map_or("none", |id| &spans[id]);
        self.0.lines.lock().unwrap().push(format!("[{span}] {}", fields.0));
    }

    fn enter(&self, span: &span::Id) {
        self.0.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, _: &span::Id) {
        self.0.entered.lock().unwrap().pop();
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

#[tokio::test]
async fn the_lines_of_two_pools_in_one_process_are_told_apart() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    // Nobody is there any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (name, label) in [("a", "lan"), ("a.dc1", "wan")] {
        let config = Config::local().label(label.as_bytes());
        let (handle, _events) = builder(config, name).spawn().await.unwrap();
        handle.join([gone]).await.unwrap_err();
        handle.shutdown().await;
    }
    let lines = log.0.lines.lock().unwrap();
    let failed: Vec<_> = lines.iter().filter(|line| line.contains("failed: ")).collect();
    assert_eq!(failed.len(), 2, "{lines:?}");
    assert!(failed[0].starts_with("[name=\"a\" label=\"lan\" ]"), "{failed:?}");
    assert!(failed[1].starts_with("[name=\"a.dc1\" label=\"wan\" ]"), "{failed:?}");
}
