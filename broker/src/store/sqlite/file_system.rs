//! The file system below SQLite, at the store's edge.

use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// How much is written at once, in bytes.
const CHUNK: usize = 1 << 20;

/// Where SQLite's files are.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem {
    /// The name by which SQLite knows it; `None` for the machine's.
    pub vfs: Option<&'static str>,
    /// Makes the database's file where it is missing, for its owner alone.
    pub make: fn(&Path) -> io::Result<()>,
    /// Writes a file again as it reads, and syncs it; one that is missing is left so.
    pub write_again: fn(&Path) -> io::Result<()>,
}

impl FileSystem {
    /// The machine's.
    pub const MACHINE: Self = Self { vfs: None, make: make_private, write_again };
}

/// Makes an empty file of mode 0600 where there is none, before SQLite makes one that others may read. What
/// SQLite makes beside it gets the same mode.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn write_again(path: &Path) -> io::Result<()> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let (mut chunk, mut place) = (vec![0; CHUNK], 0);
    loop {
        let count = file.read_at(&mut chunk, place)?;
        if count == 0 {
            return file.sync_all();
        }
        file.write_all_at(&chunk[..count], place)?;
        place += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_again_holds_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..CHUNK + 10).map(|n| n as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        write_again(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_file_that_is_missing_is_left_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_again(&path).unwrap();
        assert!(!path.exists());
    }
}
