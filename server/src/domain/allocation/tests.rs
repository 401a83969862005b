//! What every proposal promises, whatever the needs and the stock.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn id(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

fn asked(number: u64, site: u64, programme: u64, reasons: &[NeedReason]) -> Asked {
    Asked {
        need: id(1000 + number),
        site: id(1 + site),
        programme: id(100 + programme),
        reasons: Reasons::new(reasons.iter().copied()).unwrap(),
        entered_at: UtcMillis::default().plus_days(i64::try_from(number % 3).unwrap()),
    }
}

fn device(number: u64, site: Option<u64>, programme: Option<u64>) -> InStock {
    InStock {
        device: DeviceId(id(5000 + number)),
        site: site.map(|site| id(1 + site)),
        programme: programme.map(|programme| id(100 + programme)),
        grade: Some(Grade::A),
        reports: true,
        drive: Some(Verdict::Healthy),
        battery: Some(90),
    }
}

fn no_reserve() -> AllocationPolicy {
    AllocationPolicy { reserve_percent: 0, site_floor_percent: 0, ..AllocationPolicy::default() }
}

#[test]
fn the_heaviest_reasons_come_first_and_the_line_says_why() {
    let needs = [asked(0, 0, 0, &[]), asked(1, 0, 0, &[NeedReason::Ulis, NeedReason::Band3])];
    let proposal = propose(&needs, &[device(0, None, None)], &no_reserve());
    let first = &proposal.lines[0];
    assert_eq!((first.need, first.rank, first.score), (id(1001), 1, 70));
    let parts: Vec<(NeedReason, u32)> = first.parts.iter().map(|part| (part.reason, part.points)).collect();
    assert_eq!(parts, [(NeedReason::Ulis, 40), (NeedReason::Band3, 30)]);
    assert_eq!(first.outcome.unwrap().place, Place::Depot);
    assert_eq!(proposal.lines[1].outcome, Err(Cause::Exhausted));
}

#[test]
fn the_reserve_stays_and_is_named_as_the_cause() {
    let needs: Vec<Asked> = (0..12).map(|number| asked(number, 0, 0, &[])).collect();
    let stock: Vec<InStock> = (0..10).map(|number| device(number, None, None)).collect();
    let policy = AllocationPolicy { reserve_percent: 15, ..no_reserve() };
    let proposal = propose(&needs, &stock, &policy);
    assert_eq!(proposal.stock.reserve, 2);
    assert_eq!(proposal.lines.iter().filter(|line| line.outcome.is_ok()).count(), 8);
    assert!(proposal.lines[8..].iter().all(|line| line.outcome == Err(Cause::Reserve)));
}

#[test]
fn each_site_is_served_its_floor_before_the_heaviest_of_all() {
    let heavy = (0..9).map(|number| asked(number, 0, 0, &[NeedReason::Ulis]));
    let needs: Vec<Asked> = heavy.chain([asked(9, 1, 0, &[])]).collect();
    let stock: Vec<InStock> = (0..3).map(|number| device(number, None, None)).collect();
    let met = |percent| {
        let policy = AllocationPolicy { site_floor_percent: percent, ..no_reserve() };
        let proposal = propose(&needs, &stock, &policy);
        proposal.lines.iter().filter(|line| line.outcome.is_ok() && line.site == id(2)).count()
    };
    assert_eq!((met(0), met(10)), (0, 1));
}

#[test]
fn nothing_at_risk_is_lent_and_what_is_left_out_is_counted() {
    let with = |change: fn(&mut InStock)| {
        let mut one = device(0, None, None);
        change(&mut one);
        unfit(&one, &AllocationPolicy::default())
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|one| one.drive = Some(Verdict::Failing)), Some(Unfit::FailingDrive));
    assert_eq!(with(|one| one.drive = Some(Verdict::Worn)), Some(Unfit::WornDrive));
    assert_eq!(with(|one| one.drive = None), Some(Unfit::Unread));
    assert_eq!(with(|one| one.battery = Some(59)), Some(Unfit::WeakBattery));
    assert_eq!(with(|one| one.grade = Some(Grade::D)), Some(Unfit::Grade));
    let tablet = |one: &mut InStock| (one.reports, one.drive, one.battery, one.grade) = (false, None, None, None);
    assert_eq!(with(tablet), None, "nothing is expected to report from a tablet");
    let generous = AllocationPolicy { worn_drives: true, unread: true, ..AllocationPolicy::default() };
    let failing = InStock { drive: Some(Verdict::Failing), ..device(0, None, None) };
    assert_eq!(unfit(&failing, &generous), Some(Unfit::FailingDrive), "whatever the policy");
}

#[test]
fn an_earlier_need_moves_to_another_device_rather_than_leave_a_later_one_without() {
    // The first may take either; the second only the one of its site. Their order of preference would collide.
    let needs = [asked(0, 0, 0, &[NeedReason::Ulis]), asked(1, 0, 1, &[])];
    let stock = [device(0, Some(0), None), device(1, None, Some(0))];
    let proposal = propose(&needs, &stock, &no_reserve());
    assert!(proposal.lines.iter().all(|line| line.outcome.is_ok()), "{:?}", proposal.lines);
}

fn needs_and_stock() -> impl Strategy<Value = (Vec<Asked>, Vec<InStock>)> {
    let needs = proptest::collection::vec((0u64..3, 0u64..3, 0usize..7, any::<bool>()), 0..24).prop_map(|drawn| {
        let need = |(number, (site, programme, reason, some)): (usize, (u64, u64, usize, bool))| {
            let reasons = if some { &NeedReason::ALL[reason..=reason] } else { &[] };
            asked(u64::try_from(number).unwrap(), site, programme, reasons)
        };
        drawn.into_iter().enumerate().map(need).collect()
    });
    let place = || proptest::option::of(0u64..3);
    let stock = proptest::collection::vec((place(), place(), 50u32..100, 0usize..4), 0..24).prop_map(|drawn| {
        let one = |(number, (site, programme, battery, grade)): (usize, (Option<u64>, Option<u64>, u32, usize))| {
            let plain = device(u64::try_from(number).unwrap(), site, programme);
            InStock { battery: Some(battery), grade: Grade::ALL.get(grade).copied(), ..plain }
        };
        drawn.into_iter().enumerate().map(one).collect()
    });
    (needs, stock)
}

/// Whether devices can be chosen so that all of `needs` are served: one by one, the plain way.
fn all_served(needs: &[&Asked], stock: &[&InStock], between_sites: bool) -> bool {
    fn give(
        need: usize,
        edges: &[Vec<usize>],
        seen: &mut BTreeSet<usize>,
        holder: &mut BTreeMap<usize, usize>,
    ) -> bool {
        for device in edges[need].clone() {
            if seen.insert(device) {
                let free = match holder.get(&device).copied() {
                    None => true,
                    Some(other) => give(other, edges, seen, holder),
                };
                if free {
                    holder.insert(device, need);
                    return true;
                }
            }
        }
        false
    }
    let fits = |need: &Asked, device: &InStock| {
        matching::serves((device.site, device.programme), (need.site, need.programme), between_sites)
    };
    let edges: Vec<Vec<usize>> =
        needs.iter().map(|need| (0..stock.len()).filter(|one| fits(need, stock[*one])).collect()).collect();
    let mut holder = BTreeMap::new();
    (0..needs.len()).all(|need| give(need, &edges, &mut BTreeSet::new(), &mut holder))
}

proptest! {
    #[test]
    fn the_order_in_which_things_come_does_not_matter(
        (needs, stock) in needs_and_stock(),
        seed in any::<u64>(),
        floor in 0u32..50,
    ) {
        let policy = AllocationPolicy { site_floor_percent: floor, ..AllocationPolicy::default() };
        let before = propose(&needs, &stock, &policy);
        let (mut needs, mut stock) = (needs, stock);
        // A shuffle that the seed draws.
        let mixed = |id: Uuid| (id.as_u128() ^ u128::from(seed)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        needs.sort_by_key(|need| mixed(need.need));
        stock.sort_by_key(|one| mixed(one.device.0));
        prop_assert_eq!(before, propose(&needs, &stock, &policy));
    }

    #[test]
    fn a_need_goes_without_only_if_it_must(
        (needs, stock) in needs_and_stock(),
        between_sites in any::<bool>(),
        reserve in 0u32..40,
    ) {
        let policy = AllocationPolicy { between_sites, reserve_percent: reserve, ..AllocationPolicy::default() };
        let proposal = propose(&needs, &stock, &policy);
        prop_assert_eq!(proposal.lines.len(), needs.len());
        let suitable: Vec<&InStock> = stock.iter().filter(|one| unfit(one, &policy).is_none()).collect();
        prop_assert_eq!(usize::try_from(proposal.stock.suitable).unwrap(), suitable.len());
        let find = |line: &Line| needs.iter().find(|need| need.need == line.need).unwrap();
        let (mut served, mut given): (Vec<&Asked>, BTreeSet<DeviceId>) = (Vec::new(), BTreeSet::new());
        let to_give = usize::try_from(proposal.stock.suitable - proposal.stock.reserve).unwrap();
        for (place, line) in proposal.lines.iter().enumerate() {
            prop_assert_eq!(usize::try_from(line.rank).unwrap(), place + 1);
            let with_it: Vec<&Asked> = served.iter().copied().chain([find(line)]).collect();
            let possible = served.len() < to_give && all_served(&with_it, &suitable, between_sites);
            prop_assert_eq!(line.outcome.is_ok(), possible, "{:?}", line);
            if let Ok(given_here) = line.outcome {
                prop_assert!(given.insert(given_here.device), "twice");
                let device = suitable.iter().find(|one| one.device == given_here.device).unwrap();
                let need = find(line);
                let kinds = ((device.site, device.programme), (need.site, need.programme));
                prop_assert!(matching::serves(kinds.0, kinds.1, between_sites));
                served = with_it;
            }
        }
    }
}
