//! A person runs the agent's commands as root; the agent's files belong to a user of its own. Before such a command
//! touches them it becomes that user, so that nothing it writes is root's and no link in that folder can lead root
//! astray. What only root may read (serial numbers, the token's file) is read before.

use std::{io, path::Path};

/// Becomes the owner of `folder` for good, where this process is root and the folder is not. Returns whether it did.
///
/// Of this thread only, says the kernel: there is no other yet, and later ones begin as this one is.
#[cfg(target_os = "linux")]
pub fn become_owner_of(folder: &Path) -> io::Result<bool> {
    use rustix::{
        process::{Gid, Uid, geteuid},
        thread::{set_thread_gid, set_thread_groups, set_thread_uid},
    };
    use std::os::unix::fs::MetadataExt as _;

    if !geteuid().is_root() {
        return Ok(false);
    }
    let found = match std::fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() && found.uid() != 0 => found,
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Its own groups alone: what its service may open (the TPM), it may open now.
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let groups = groups_of(found.uid(), &text("/etc/passwd"), &text("/etc/group"));
    set_thread_groups(&groups.into_iter().map(Gid::from_raw).collect::<Vec<_>>())?;
    set_thread_gid(Gid::from_raw(found.gid()))?;
    set_thread_uid(Uid::from_raw(found.uid()))?;
    Ok(true)
}

/// The groups that `group` (group(5)) says `user` is in, beside the one of its own; its name is in `passwd` (passwd(5)).
#[cfg(target_os = "linux")]
fn groups_of(user: u32, passwd: &str, group: &str) -> Vec<u32> {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
    let is_user = |line: &&str| number(line.split(':').nth(2)) == Some(user);
    let Some(name) = passwd.lines().find(is_user).and_then(|line| line.split(':').next()) else { return Vec::new() };
    let of_user = group.lines().filter(|line| {
        let members = line.split(':').nth(3).unwrap_or_default();
        members.split(',').any(|member| member.trim() == name)
    });
    of_user.filter_map(|line| number(line.split(':').nth(2))).collect()
}

/// Elsewhere the agent has no user of its own.
#[cfg(not(target_os = "linux"))]
pub fn become_owner_of(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn groups_are_those_that_name_the_user() {
        let passwd = "root:x:0:0::/root:/bin/sh\ncartable-agent:x:104:110::/:/usr/sbin/nologin\n";
        let group = "root:x:0:\ntss:x:108:tss,cartable-agent\nadm:x:4:cartable-agents\ncartable-agent:x:110:\n";
        assert_eq!(groups_of(104, passwd, group), [108]);
        assert_eq!(groups_of(105, passwd, group), Vec::<u32>::new());
    }

    #[test]
    fn root_becomes_the_owner_of_a_foreign_folder_and_cannot_come_back() {
        let base = tempfile::tempdir().unwrap();
        let own = base.path().join("own");
        std::fs::create_dir(&own).unwrap();
        assert!(!become_owner_of(&own).unwrap(), "its own");
        assert!(!become_owner_of(&base.path().join("none")).unwrap(), "not there");
        if !rustix::process::geteuid().is_root() {
            return;
        }
        std::os::unix::fs::chown(&own, Some(12_345), Some(12_346)).unwrap();
        std::os::unix::fs::symlink(&own, base.path().join("link")).unwrap();
        assert!(!become_owner_of(&base.path().join("link")).unwrap(), "a link is nobody's word");
        // In a thread of its own: the rest of the tests stays root.
        let (became, user, back) = std::thread::scope(|scope| {
            let done = scope.spawn(|| {
                let became = become_owner_of(&own).unwrap();
                std::fs::write(own.join("file"), "").unwrap();
                (
                    became,
                    rustix::process::geteuid().as_raw(),
                    rustix::thread::set_thread_uid(rustix::process::Uid::ROOT),
                )
            });
            done.join().unwrap()
        });
        assert!(became && back.is_err());
        let file = std::fs::metadata(own.join("file")).unwrap();
        assert_eq!((user, file.uid(), file.gid()), (12_345, 12_345, 12_346));
    }
}
