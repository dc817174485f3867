//! A broker in this process, on a folder of its own, as it is before every input: the queue `q` and the topic
//! `t`, to which it is subscribed, with nothing in them.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::Method};
use broker::{
    Broker,
    api::{self, Limits},
    auth::tokens::Tokens,
    engine::{self, EngineSettings, EngineThread, fatal::AbortProcess},
    store::{Store, folder::DataFolder, sqlite::SqliteStore},
};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use super::{Call, answer::Answer};

/// How long an answer may take that waits for nothing but the disk.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for one that may wait for a message.
const SHORT_PATIENCE: Duration = Duration::from_millis(20);

pub(super) struct Server {
    runtime: Runtime,
    router: Router,
    broker: Broker,
    engine: EngineThread,
    tokens: Arc<Tokens>,
    /// Whether something may have changed since it was last cleared.
    touched: AtomicBool,
    _folder: TempDir,
}

/// Does something with this thread's broker, which is started first where there is none.
pub(super) fn with(f: impl FnOnce(&Server)) {
    thread_local! {
        static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
    }
    SERVER.with_borrow_mut(|server| {
        f(server.get_or_insert_with(Server::start));
        // Tokens shut out whoever comes after them.
        if let Some(shut) = server.take_if(|server| !server.tokens.is_empty()) {
            shut.stop();
        }
    });
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().expect("there is room for a folder");
        let data = DataFolder::open(folder.path()).expect("the folder is new");
        let tokens = Arc::new(Tokens::open(&data).expect("there are none"));
        let open = move || SqliteStore::open(data).map(|store| Box::new(store) as Box<dyn Store>);
        let (broker, engine) =
            engine::start(EngineSettings::default(), open, AbortProcess).expect("a thread can be started");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        runtime.block_on(broker.ready()).expect("the folder is new");
        let limits = Limits { message: 4096, request: 8192, ..Limits::default() };
        let router = api::router(broker.clone(), Arc::clone(&tokens), broker.health(), limits);
        let server = Self {
            runtime,
            router,
            broker,
            engine,
            tokens,
            touched: AtomicBool::new(false),
            _folder: folder,
        };
        server.prepare();
        server
    }

    fn stop(self) {
        self.runtime.block_on(self.engine.stop()).expect("the folder is still there");
    }

    /// What came back; `None` where nothing does in time.
    pub(super) fn ask(&self, call: &Call) -> Option<Answer> {
        let patience = if call.may_wait() { SHORT_PATIENCE } else { PATIENCE };
        let answered = async {
            let Ok(response) = self.router.clone().oneshot(call.request()).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("bodies are made in memory").to_bytes();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        };
        let answer = self.runtime.block_on(async { tokio::time::timeout(patience, answered).await.ok() });
        let changes = |answer: &Answer| call.method != Method::GET && answer.status < 300;
        if answer.as_ref().is_none_or(changes) {
            self.touched.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Takes away what an input made.
    pub(super) fn clear(&self) {
        if !self.touched.swap(false, Ordering::Relaxed) || !self.tokens.is_empty() {
            return;
        }
        let names = self.runtime.block_on(self.broker.look(|core, _| {
            let queues: Vec<_> = core.queues(None).map(|view| view.name.clone()).collect();
            let topics: Vec<_> = core.topics(None).map(|view| view.name.clone()).collect();
            (queues, topics)
        }));
        let (queues, topics) = names.expect("the broker runs");
        for queue in queues {
            self.must("DELETE", &format!("/queues/{queue}?force=true"));
        }
        for topic in topics {
            self.must("DELETE", &format!("/topics/{topic}"));
        }
        self.prepare();
    }

    fn prepare(&self) {
        self.must("PUT", "/queues/q");
        self.must("PUT", "/topics/t");
        self.must("PUT", "/topics/t/subscriptions/q");
        self.touched.store(false, Ordering::Relaxed);
    }

    fn must(&self, method: &str, path: &str) {
        let line = format!("{method} {path}");
        let call = Call::read(line.as_bytes()).expect("it is a request");
        let answer = self.ask(&call).expect("it waits for nothing");
        assert!((200..300).contains(&answer.status), "{line}: {answer:?}");
    }
}
