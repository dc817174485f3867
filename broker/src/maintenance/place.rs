//! Where a path leads, be it there or not: two names of one place are told to be the same.

use std::{
    env, io,
    path::{Component, Path, PathBuf},
};

/// The one name of where a path leads. What is there is followed through its links; what is not is taken as it
/// would be made.
///
/// # Errors
/// When the folder that this process is in is gone.
pub(super) fn of(path: &Path) -> io::Result<PathBuf> {
    let mut place = if path.is_absolute() { PathBuf::new() } else { env::current_dir()? };
    for part in path.components() {
        match part {
            // Of a place whose links were followed, this is the folder that it is in.
            Component::ParentDir => drop(place.pop()),
            part => {
                place.push(part);
                place = place.canonicalize().unwrap_or(place);
            }
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_path_leads_through_its_links_and_on_to_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a/b", root.join("link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        for (path, leads_to) in [
            ("a/b", "a/b"),
            ("link/../c", "a/c"),
            ("link/new/../other", "a/b/other"),
            ("new/../link/x/y", "a/b/x/y"),
            ("./a/./b/", "a/b"),
            ("broken/x", "broken/x"),
        ] {
            assert_eq!(of(&folder.path().join(path)).unwrap(), root.join(leads_to), "{path}");
        }
        assert_eq!(of(Path::new("/../..")).unwrap(), Path::new("/"));
        assert_eq!(of(Path::new("new")).unwrap(), env::current_dir().unwrap().join("new"));
    }
}
