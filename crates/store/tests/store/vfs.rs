//! SQLite's layer over a simulated disk.
//!
//! One of the few files with `unsafe` code: SQLite calls through pointers to functions.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::ffi;

use crate::disk::{Disk, Failure};

/// A file that is open. SQLite gives the room for it, and knows its first part.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// Made by `open`, freed by `close`.
    own: *mut Own,
}

struct Own {
    disk: Arc<Disk>,
    name: String,
    is_passing: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(sector_promises),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Makes a disk known to SQLite under a name, for as long as the process runs.
pub(crate) fn register(name: &str, disk: &Arc<Disk>) {
    let name = CString::new(name).unwrap();
    let vfs = Box::new(ffi::sqlite3_vfs {
        iVersion: 1,
        szOsFile: size_of::<File>() as c_int,
        mxPathname: 1024,
        pNext: std::ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: Arc::into_raw(Arc::clone(disk)).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_name),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(random),
        xSleep: Some(sleep),
        xCurrentTime: Some(time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    });
    // SAFETY: the layer and what it points to are never freed.
    let done = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(vfs), 0) };
    assert_eq!(done, ffi::SQLITE_OK);
}

fn code(done: Result<(), Failure>) -> c_int {
    match done {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failure::Io) => ffi::SQLITE_IOERR,
        Err(Failure::Sync) => ffi::SQLITE_IOERR_FSYNC,
        Err(Failure::Full) => ffi::SQLITE_FULL,
    }
}

/// The disk of a layer.
unsafe fn disk<'d>(vfs: *mut ffi::sqlite3_vfs) -> &'d Disk {
    // SAFETY: `register` has put it there, and it is never freed.
    unsafe { &*(*vfs).pAppData.cast::<Disk>() }
}

/// What is known of a file that is open.
unsafe fn own<'f>(file: *mut ffi::sqlite3_file) -> &'f Own {
    // SAFETY: SQLite calls with what `open` has filled, before `close`.
    unsafe { &*(*file.cast::<File>()).own }
}

unsafe fn text(name: *const c_char) -> String {
    // SAFETY: names that SQLite gives end with a zero.
    unsafe { CStr::from_ptr(name) }.to_str().unwrap().to_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for a `File`, and pointers that are null or good.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let shared = {
            let disk = (*vfs).pAppData.cast::<Disk>().cast_const();
            Arc::increment_strong_count(disk);
            Arc::from_raw(disk)
        };
        let is_passing = name.is_null();
        let name = if is_passing { shared.passing_name() } else { text(name) };
        if let Err(failure) = shared.open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0) {
            let failed = code(Err(failure));
            return if failed == ffi::SQLITE_IOERR { ffi::SQLITE_CANTOPEN } else { failed };
        }
        if !out.is_null() {
            *out = flags;
        }
        let own = Box::into_raw(Box::new(Own { disk: shared, name, is_passing }));
        (*file.cast::<File>()).own = own;
        (*file).pMethods = &raw const METHODS;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once.
    let own = unsafe { Box::from_raw((*file.cast::<File>()).own) };
    if own.is_passing {
        let _ = own.disk.delete(&own.name, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives room for as many bytes.
    let (own, to) =
        unsafe { (own(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), count as usize)) };
    match own.disk.read(&own.name, at as usize, to) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(failure) => code(Err(failure)),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives as many bytes.
    let (own, from) =
        unsafe { (own(file), std::slice::from_raw_parts(from.cast::<u8>(), count as usize)) };
    code(own.disk.write(&own.name, at as usize, from))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: the file is open.
    let own = unsafe { own(file) };
    code(own.disk.truncate(&own.name, size as usize))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let own = unsafe { own(file) };
    code(own.disk.sync(&own.name))
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: the file is open, and the pointer good.
    unsafe {
        let own = own(file);
        *out = own.disk.size(&own.name) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn reserved(_: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: the pointer is good.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// Nothing that SQLite may rely on.
unsafe extern "C" fn sector_promises(_: *mut ffi::sqlite3_file) -> c_int {
    0
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    is_synced: c_int,
) -> c_int {
    // SAFETY: the layer and the name are good.
    let (disk, name) = unsafe { (disk(vfs), text(name)) };
    match disk.delete(&name, is_synced != 0) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(failure) => code(Err(failure)),
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the layer, the name and the pointer are good.
    unsafe { *out = c_int::from(disk(vfs).has(&text(name))) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_name(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the name ends with a zero, and there is room for as many bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn random(vfs: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: there is room for as many bytes.
    unsafe {
        let out = std::slice::from_raw_parts_mut(out.cast::<u8>(), count as usize);
        disk(vfs).random(out);
    }
    count
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, _: c_int) -> c_int {
    0
}

unsafe extern "C" fn time(_: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |own| own.as_secs_f64());
    // SAFETY: the pointer is good.
    unsafe { *out = 2_440_587.5 + seconds / 86_400.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
