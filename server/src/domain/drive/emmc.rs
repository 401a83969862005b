//! The life-time registers of an eMMC drive (JESD84-B51). Its wear is judged with all other flash.

use cartable_common::report::EmmcHealth;

use super::{Findings, Reason, Said, Verdict, maker};

pub(super) fn look(emmc: &EmmcHealth, findings: &mut Findings) {
    let told = emmc.pre_end_of_life.is_some();
    findings.expect(told, "l'usure de sa réserve (PRE_EOL_INFO)", "the use of its spare blocks (PRE_EOL_INFO)");
    let Some(state) = emmc.pre_end_of_life.filter(|state| (1..=3).contains(state)) else { return };
    findings.figures = true;
    let (verdict, fr, en) = match state {
        2 => (Verdict::Worn, "80 % de ses blocs de réserve sont utilisés", "80% of its spare blocks are used"),
        3 => (Verdict::Failing, "90 % de ses blocs de réserve sont utilisés", "90% of its spare blocks are used"),
        _ => return,
    };
    findings.reason(Reason {
        code: "emmc_spare",
        verdict,
        value: Said::same(format!("PRE_EOL_INFO {state}")),
        threshold: Some(Said::same("2")),
        source: maker(),
        said: Said::new(fr, en),
    });
}
