//! A maildir: each mail is a file in `new/`, there whole or not at all, once. Written to `tmp/`, synced,
//! renamed into `new/`, and the folder synced, so that a mail reported as sent survives a power cut.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A maildir on this machine. Clones share it.
#[derive(Clone, Debug)]
pub struct Maildir {
    root: Arc<Path>,
    folder: mpsc::UnboundedSender<oneshot::Sender<Result<(), Arc<io::Error>>>>,
}

impl Maildir {
    /// Opens the maildir at `root` and makes its folders where they lack.
    ///
    /// # Errors
    /// When a folder can't be made or synced.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(root.join(folder))?;
        }
        File::open(&root)?.sync_all()?;
        let new = File::open(root.join("new"))?;
        let (folder, waiting) = mpsc::unbounded_channel();
        thread::Builder::new().name("maildir".to_owned()).spawn(move || sync_folder(&new, waiting))?;
        Ok(Self { root: root.into(), folder })
    }

    /// Delivers a message as `new/NAME.eml` and answers when it is on disk. The same name again
    /// replaces the file: a repeat after a crash leaves one file, not two.
    ///
    /// # Errors
    /// When the disk does not take it; no file of that name is left half written.
    pub async fn deliver(&self, name: &str, message: Vec<u8>) -> io::Result<()> {
        let root = Arc::clone(&self.root);
        let file = format!("{name}.eml");
        tokio::task::spawn_blocking(move || place(&root, &file, &message)).await??;
        self.folder_synced().await
    }

    /// Waits until the folder was synced after now.
    async fn folder_synced(&self) -> io::Result<()> {
        let (answer, synced) = oneshot::channel();
        let ended = || io::Error::other("the maildir's thread ended");
        self.folder.send(answer).map_err(|_| ended())?;
        let result = synced.await.map_err(|_| ended())?;
        result.map_err(|error| io::Error::new(error.kind(), error))
    }
}

/// Writes to `tmp/` under a name of its own (two instances may deliver the same mail at once), then
/// renames.
fn place(root: &Path, file: &str, message: &[u8]) -> io::Result<()> {
    let temporary = root.join("tmp").join(format!("{}.{file}", Uuid::now_v7()));
    let placed =
        write_synced(&temporary, message).and_then(|()| fs::rename(&temporary, root.join("new").join(file)));
    if placed.is_err() {
        // What is left over in tmp/ is not mail; failing to remove it changes nothing.
        let _ = fs::remove_file(&temporary);
    }
    placed
}

fn write_synced(path: &Path, message: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(message)?;
    file.sync_all()
}

/// One sync of the folder serves all who wait when it begins.
fn sync_folder(
    folder: &File,
    mut waiting: mpsc::UnboundedReceiver<oneshot::Sender<Result<(), Arc<io::Error>>>>,
) {
    let mut group = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while let Ok(next) = waiting.try_recv() {
            group.push(next);
        }
        let result = folder.sync_all().map_err(Arc::new);
        for answer in group.drain(..) {
            // Who no longer waits needs no answer.
            let _ = answer.send(result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_delivered_twice_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path().join("mail")).unwrap();
        let (one, two) =
            tokio::join!(maildir.deliver("a.b", b"mail".to_vec()), maildir.deliver("a.b", b"mail".to_vec()));
        one.and(two).unwrap();
        assert_eq!(names(&folder.path().join("mail/new")), ["a.b.eml"]);
        assert_eq!(names(&folder.path().join("mail/tmp")), Vec::<String>::new());
        assert_eq!(fs::read(folder.path().join("mail/new/a.b.eml")).unwrap(), b"mail");
    }

    #[tokio::test]
    async fn a_mail_that_the_disk_refuses_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path().to_owned()).unwrap();
        fs::create_dir(folder.path().join("new/taken.eml")).unwrap();
        maildir.deliver("taken", b"mail".to_vec()).await.unwrap_err();
        assert_eq!(names(&folder.path().join("tmp")), Vec::<String>::new());
    }

    #[tokio::test]
    async fn many_mails_at_once_are_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(folder.path().to_owned()).unwrap();
        let mut deliveries = tokio::task::JoinSet::new();
        for n in 0..100 {
            let maildir = maildir.clone();
            deliveries.spawn(async move { maildir.deliver(&format!("{n}"), vec![b'x'; 100]).await });
        }
        for delivered in deliveries.join_all().await {
            delivered.unwrap();
        }
        assert_eq!(names(&folder.path().join("new")).len(), 100);
    }
}
