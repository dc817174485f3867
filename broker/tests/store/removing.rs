//! A queue or topic that is removed while others publish to it.

use std::sync::Arc;

use broker::{
    engine::{EngineSettings, by_hand},
    store::{
        folder::DataFolder,
        sqlite::{FileSystem, SqliteStore, verify},
    },
};
use broker_core::{
    choice::Chosen,
    command::{Command, Destination, Publish, SubscriptionPatch},
    settings::{QueueSettingsPatch, TopicSettingsPatch},
};
use futures_util::FutureExt as _;

use crate::{
    damage::{Standing, done},
    running::{message, name},
};

#[tokio::test]
async fn what_is_published_in_the_group_that_removes_its_destination_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    let (store, _) = SqliteStore::open_by_hand(data, FileSystem::MACHINE).unwrap();
    let settings = EngineSettings::default();
    let (broker, mut engine) = by_hand(settings, Box::new(store), Arc::new(Standing::new()) as _).unwrap();
    let settings = QueueSettingsPatch::default();
    done(&broker, &mut engine, Command::PutQueue { name: name("q"), settings, only_create: false });
    let retains = TopicSettingsPatch {
        retention: Some(std::time::Duration::from_secs(60)),
        ..TopicSettingsPatch::default()
    };
    let put = Command::PutTopic { name: name("t"), settings: retains, only_create: false };
    done(&broker, &mut engine, put);
    let (topic, queue) = (name("t"), name("q"));
    let settings = SubscriptionPatch::default();
    let subscribe =
        Command::PutSubscription { topic, queue, settings, only_create: false, chosen: Chosen::All };
    done(&broker, &mut engine, subscribe);

    let publish = |destination, number| {
        Command::Publish(Publish { destination, messages: vec![message(number)], require_route: false })
    };
    let commands = [
        publish(Destination::Queue(name("q")), 1),
        publish(Destination::Topic(name("t")), 2),
        Command::DeleteQueue { name: name("q"), force: true },
        Command::DeleteTopic { name: name("t") },
    ];
    let mut asked: Vec<_> = commands.map(|command| Box::pin(broker.send(command))).into();
    // All of them stand in line before the one step that decides and commits them.
    assert!(asked.iter_mut().all(|asked| asked.now_or_never().is_none()));
    engine.step().unwrap();
    asked.into_iter().for_each(|asked| drop(asked.now_or_never().expect("it is decided").unwrap()));
    engine.close().unwrap();
    assert_eq!(verify(folder.path(), &mut |_, _| ()).unwrap().faults, []);
}
