//! SQLite's view of the disk: its interface for file systems, in C's terms. The only unsafe code of the
//! house; what the files do is told in [`disk`](super), safely.
//!
//! The crates that wrap this interface were looked at: sqlite-vfs has no write-ahead log, sqlite-plugin
//! needs libclang to be built.

#![allow(unsafe_code, reason = "SQLite's interface for file systems is one of C functions and pointers")]

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
    mem,
    ptr::{self, null_mut},
    rc::Rc,
    slice,
    sync::Once,
};

use rusqlite::ffi;

use super::{DISK, Disk, Trouble, file::File, locks::Region};

/// The name to open databases by.
pub const NAME: &str = "simulation";

/// The name as C has it.
const C_NAME: &CStr = c"simulation";

/// What SQLite allocates for a file: its own part first, then the handle.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    handle: *mut Handle,
}

/// A file that is open.
struct Handle {
    number: u64,
    path: String,
    generation: u32,
    delete_on_close: bool,
    /// Keeps what SQLite points into.
    regions: Vec<Region>,
}

thread_local! {
    static HANDLES: Cell<u64> = const { Cell::new(0) };
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes the file system known to SQLite; again does nothing.
pub fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: mem::size_of::<OpenFile>() as c_int,
            mxPathname: 512,
            pNext: null_mut(),
            zName: C_NAME.as_ptr(),
            pAppData: null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: None,
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the record lives as long as the program, and all that it names does.
        let result = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(result, ffi::SQLITE_OK, "SQLite takes a file system");
    });
}

/// A path from SQLite; `None` for a temporary file.
fn text(path: *const c_char) -> Option<String> {
    // SAFETY: SQLite hands in a text that ends in zero, or null.
    (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned())
}

/// The handle of a file that SQLite has open.
fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: SQLite calls a file's methods only between `open` and `close`, one at a time; `open` put the
    // handle there.
    unsafe { &mut *(*file.cast::<OpenFile>()).handle }
}

/// Does something with the file, unless the process or the machine that opened it is gone.
fn on_file(
    file: *mut ffi::sqlite3_file,
    otherwise: c_int,
    work: impl FnOnce(&mut Disk, &mut Handle) -> Result<c_int, Trouble>,
) -> c_int {
    let handle = handle(file);
    DISK.with_borrow_mut(|disk| {
        if disk.generation != handle.generation {
            return otherwise;
        }
        work(disk, handle).unwrap_or_else(|trouble| match trouble {
            Trouble::Full => ffi::SQLITE_FULL,
            Trouble::Io => otherwise,
        })
    })
}

/// The same for what only holds or lets go.
fn holding(file: *mut ffi::sqlite3_file, work: impl FnOnce(&mut File, &mut Handle) -> c_int) -> c_int {
    on_file(file, ffi::SQLITE_OK, |disk, handle| Ok(work(disk.file(&handle.path)?, handle)))
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let number = HANDLES.get() + 1;
    HANDLES.set(number);
    let temporary = path.is_null();
    let path = text(path).unwrap_or_else(|| format!("temporary-{number}"));
    let generation = DISK.with_borrow_mut(|disk| {
        let opens = disk.has(&path) || flags & ffi::SQLITE_OPEN_CREATE != 0;
        opens.then(|| disk.create(&path)).map(|()| disk.generation)
    });
    // SAFETY: SQLite hands in room for an `OpenFile`, as it was told, and a place for the flags or null.
    unsafe {
        let Some(generation) = generation else {
            (*file).pMethods = ptr::null();
            return ffi::SQLITE_CANTOPEN;
        };
        let delete_on_close = temporary || flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        let handle = Handle { number, path, generation, delete_on_close, regions: Vec::new() };
        let handle = Box::into_raw(Box::new(handle));
        file.cast::<OpenFile>()
            .write(OpenFile { base: ffi::sqlite3_file { pMethods: &raw const METHODS }, handle });
        if let Some(out_flags) = out_flags.as_mut() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    holding(file, |file, handle| {
        file.locks.forget(handle.number);
        ffi::SQLITE_OK
    });
    // SAFETY: `open` made the handle from a box, and SQLite closes a file once.
    let handle = unsafe { Box::from_raw((*file.cast::<OpenFile>()).handle) };
    if handle.delete_on_close {
        DISK.with_borrow_mut(|disk| disk.files.remove(&handle.path));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite hands in room for that many bytes.
    let into = unsafe { slice::from_raw_parts_mut(into.cast::<u8>(), amount as usize) };
    on_file(file, ffi::SQLITE_IOERR_READ, |disk, handle| {
        disk.spend_read()?;
        let count = disk.file(&handle.path)?.read(offset as usize, into);
        into[count..].fill(0);
        Ok(if count < into.len() { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK })
    })
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite hands in that many bytes.
    let data = unsafe { slice::from_raw_parts(data.cast::<u8>(), amount as usize) };
    on_file(file, ffi::SQLITE_IOERR_WRITE, |disk, handle| {
        disk.write(&handle.path, offset as usize, data).map(|()| ffi::SQLITE_OK)
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    on_file(file, ffi::SQLITE_IOERR_TRUNCATE, |disk, handle| {
        disk.truncate(&handle.path, len as usize).map(|()| ffi::SQLITE_OK)
    })
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    on_file(file, ffi::SQLITE_IOERR_FSYNC, |disk, handle| disk.sync(&handle.path).map(|()| ffi::SQLITE_OK))
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, len: *mut ffi::sqlite3_int64) -> c_int {
    on_file(file, ffi::SQLITE_IOERR_FSTAT, |disk, handle| {
        let is = disk.file(&handle.path)?.len();
        // SAFETY: SQLite hands in a place for it.
        unsafe { *len = is.cast_signed() };
        Ok(ffi::SQLITE_OK)
    })
}

const fn busy_unless(free: bool) -> c_int {
    if free { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    holding(file, |file, handle| busy_unless(file.locks.lock(handle.number, level)))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    holding(file, |file, handle| {
        file.locks.unlock(handle.number, level);
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    holding(file, |file, _| {
        // SAFETY: SQLite hands in a place for it.
        unsafe { *result = file.locks.is_reserved().into() };
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As a file of Unix: a write leaves its neighbours alone, and nothing else is promised.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    number: c_int,
    size: c_int,
    extend: c_int,
    region: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite hands in a place for the pointer.
    unsafe { *region = null_mut() };
    let number = number as usize;
    on_file(file, ffi::SQLITE_IOERR_SHMMAP, |disk, handle| {
        let regions = &mut disk.file(&handle.path)?.locks.regions;
        while extend != 0 && regions.len() <= number {
            regions.push(vec![Cell::new(0); size as usize / mem::size_of::<u64>()].into());
        }
        if let Some(there) = regions.get(number) {
            handle.regions.push(Rc::clone(there));
            // SAFETY: as above. What it points to lives as long as the handle, is of cells that may be
            // written through any pointer, and is used by one thread alone.
            unsafe { *region = there.as_ptr().cast_mut().cast() };
        }
        Ok(ffi::SQLITE_OK)
    })
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let (first, count) = (first as usize, count as usize);
    holding(file, |file, handle| {
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            file.locks.give(handle.number, first, count);
            return ffi::SQLITE_OK;
        }
        let exclusively = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        busy_unless(file.locks.take(handle.number, first, count, exclusively))
    })
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    handle(file).regions.clear();
    holding(file, |file, handle| {
        file.locks.give(handle.number, 0, 8);
        if delete != 0 {
            file.locks.regions.clear();
        }
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, _: c_int) -> c_int {
    let path = text(path).unwrap_or_default();
    DISK.with_borrow_mut(|disk| {
        if !disk.has(&path) {
            return ffi::SQLITE_IOERR_DELETE_NOENT;
        }
        disk.delete(&path).map_or(ffi::SQLITE_IOERR_DELETE, |()| ffi::SQLITE_OK)
    })
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    result: *mut c_int,
) -> c_int {
    let path = text(path).unwrap_or_default();
    // SAFETY: SQLite hands in a place for it.
    unsafe { *result = DISK.with_borrow(|disk| disk.has(&path)).into() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    into: *mut c_char,
) -> c_int {
    // SAFETY: SQLite hands in a text that ends in zero, and so much room for another.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), into.cast(), bytes.len());
    }
    ffi::SQLITE_OK
}

/// The same numbers in every run.
unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, count: c_int, into: *mut c_char) -> c_int {
    // SAFETY: SQLite hands in room for that many bytes.
    let into = unsafe { slice::from_raw_parts_mut(into.cast::<u8>(), count as usize) };
    DISK.with_borrow_mut(|disk| into.iter_mut().for_each(|byte| *byte = disk.next_random()));
    count
}

/// Nobody else is there to wait for.
unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, time: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite hands in a place for it.
    unsafe { *time = 210_866_760_000_000 };
    ffi::SQLITE_OK
}
