//! A small disk of one's own: a tmpfs, which only root may mount.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// A mounted tmpfs. It is unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of that size, such as `64m`.
    ///
    /// # Errors
    /// When that is not permitted here, with what the system says.
    pub fn mount(size: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let output = mount.output().context("there is no mount")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may not have let go of it quite yet.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
