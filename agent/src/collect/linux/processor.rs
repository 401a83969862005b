//! The processor, from /proc/cpuinfo.

use std::collections::BTreeSet;

use cartable_common::{
    Text,
    report::{Processor, Subject, UnreadReason},
};

use super::Source;

const CPUINFO: &str = "proc/cpuinfo";

pub(super) fn read(source: &Source) -> Processor {
    let Some(content) = source.text(CPUINFO, Subject::Processor) else { return Processor::default() };
    let processor = parse(&content);
    if processor.model.is_none() {
        source.missing(Subject::Processor, UnreadReason::NotPresent, "model");
    }
    processor
}

/// Whether the kernel lists a processor flag.
pub(super) fn has_flag(source: &Source, flag: &str) -> bool {
    let Ok(content) = source.bytes(CPUINFO) else { return false };
    let content = String::from_utf8_lossy(&content);
    let flags = content.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == "flags");
    flags.is_some_and(|(_, flags)| flags.split_whitespace().any(|word| word == flag))
}

/// One block per logical processor; cores are counted by their pair of package and core.
fn parse(content: &str) -> Processor {
    let (mut model, mut threads, mut cores) = (None, 0_u16, BTreeSet::new());
    for block in content.split("\n\n") {
        let value = |key: &str| {
            let mut pairs = block.lines().filter_map(|line| line.split_once(':'));
            pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
        };
        if value("processor").is_none() {
            continue;
        }
        threads = threads.saturating_add(1);
        model = model.or_else(|| value("model name").as_deref().and_then(Text::meaningful));
        if let Some(core) = value("core id") {
            cores.insert((value("physical id"), core));
        }
    }
    Processor {
        model,
        cores: u16::try_from(cores.len()).ok().filter(|count| *count > 0),
        threads: (threads > 0).then_some(threads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_threads_are_told_apart() {
        let block = |number, core| {
            format!(
                "processor\t: {number}\nmodel name\t: Intel(R) Celeron(R)  N4120\nphysical id\t: 0\ncore id\t\t: {core}\n"
            )
        };
        let content = [block(0, 0), block(1, 0), block(2, 1), block(3, 1)].join("\n");
        let processor = parse(&content);
        assert_eq!(processor.model.unwrap().as_str(), "Intel(R) Celeron(R) N4120");
        assert_eq!((processor.cores, processor.threads), (Some(2), Some(4)));
        assert_eq!(parse(""), Processor::default());
    }
}
