//! Gives devices to needs in the order of their rank, so that a need goes without only if it must.
//!
//! Needs of one site and programme are alike, and so are devices of one place and programme: a need that finds its
//! devices taken may move an earlier one to devices that serve it as well (an augmenting path, over groups instead of
//! single needs). Once a group finds nothing it never will: what it reaches is full and stays so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use uuid::Uuid;

use super::{Given, InStock, Place};

/// Why a need gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoneSuitable,
    Exhausted,
    Reserve,
}

/// Devices that are alike for every need: same place, same programme; the best first.
#[derive(Debug)]
struct Shelf<'a> {
    site: Option<Uuid>,
    programme: Option<Uuid>,
    devices: Vec<&'a InStock>,
    taken: usize,
    /// The groups that hold some of it.
    holders: BTreeSet<usize>,
}

/// Needs that are alike for every device.
#[derive(Debug)]
struct Group {
    site: Uuid,
    programme: Uuid,
    /// Shelves that serve it, the most particular first: what is good for few is given before what is good for many.
    shelves: Vec<usize>,
    /// How many it holds of each shelf.
    holds: BTreeMap<usize, usize>,
    hopeless: bool,
}

/// The state of the distribution.
#[derive(Debug)]
pub(super) struct Matching<'a> {
    shelves: Vec<Shelf<'a>>,
    groups: Vec<Group>,
    index: BTreeMap<(Uuid, Uuid), usize>,
}

impl<'a> Matching<'a> {
    pub(super) fn new(devices: Vec<&'a InStock>, wanted: &[(Uuid, Uuid)], between_sites: bool) -> Self {
        let mut by_kind: BTreeMap<(Option<Uuid>, Option<Uuid>), Vec<&InStock>> = BTreeMap::new();
        for device in devices {
            by_kind.entry((device.site, device.programme)).or_default().push(device);
        }
        let shelf = |((site, programme), mut devices): ((Option<Uuid>, Option<Uuid>), Vec<&'a InStock>)| {
            // What was not inspected stands after what was, and an unknown battery after a known one.
            devices.sort_unstable_by_key(|device| {
                let battery = std::cmp::Reverse(device.battery);
                (device.grade.is_none(), device.grade, battery, device.device.0)
            });
            Shelf { site, programme, devices, taken: 0, holders: BTreeSet::new() }
        };
        let shelves: Vec<Shelf<'_>> = by_kind.into_iter().map(shelf).collect();
        let kinds: BTreeSet<(Uuid, Uuid)> = wanted.iter().copied().collect();
        let groups: Vec<Group> =
            kinds.iter().map(|(site, programme)| group(*site, *programme, &shelves, between_sites)).collect();
        let index = kinds.into_iter().enumerate().map(|(number, kind)| (kind, number)).collect();
        Self { shelves, groups, index }
    }

    /// Serves needs in this order, at most `to_give` of them.
    pub(super) fn serve(mut self, wanted: &[(Uuid, Uuid)], to_give: u32) -> Vec<Result<Given, Refusal>> {
        let mut left = to_give;
        let mut served = Vec::with_capacity(wanted.len());
        for kind in wanted {
            let group = self.index.get(kind).copied().unwrap_or_default();
            let outcome = self.seek(group, left > 0);
            left -= u32::from(outcome.is_ok());
            served.push(outcome.map(|()| group));
        }
        let mut hands = self.hands();
        served.into_iter().map(|outcome| outcome.and_then(|group| self.take(group, &mut hands))).collect()
    }

    /// Makes room for one more of a group, or says why there is none.
    fn seek(&mut self, group: usize, may_give: bool) -> Result<(), Refusal> {
        if self.groups[group].shelves.is_empty() {
            return Err(Refusal::NoneSuitable);
        }
        if self.groups[group].hopeless {
            return Err(Refusal::Exhausted);
        }
        match self.path(group) {
            None => {
                self.groups[group].hopeless = true;
                Err(Refusal::Exhausted)
            }
            Some(_) if !may_give => Err(Refusal::Reserve),
            Some(moves) => {
                self.walk(&moves);
                Ok(())
            }
        }
    }

    /// The moves that make room for one more of `start`: from its own new device back to the free one.
    /// Each is a group and the shelf that it takes from; the next group gives that shelf up.
    fn path(&self, start: usize) -> Option<Vec<(usize, usize)>> {
        let mut came_by: BTreeMap<usize, usize> = BTreeMap::new();
        let mut gave_up: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(group) = queue.pop_front() {
            for shelf in self.groups[group].shelves.iter().copied() {
                if came_by.contains_key(&shelf) {
                    continue;
                }
                came_by.insert(shelf, group);
                if self.shelves[shelf].taken < self.shelves[shelf].devices.len() {
                    return Some(back(start, shelf, &came_by, &gave_up));
                }
                for holder in self.shelves[shelf].holders.iter().copied() {
                    if holder != start && !gave_up.contains_key(&holder) {
                        gave_up.insert(holder, shelf);
                        queue.push_back(holder);
                    }
                }
            }
        }
        None
    }

    fn walk(&mut self, moves: &[(usize, usize)]) {
        // The last shelf has room; every other one passes from a group to the one before it.
        if let Some((_, free)) = moves.last() {
            self.shelves[*free].taken += 1;
        }
        for pair in moves.windows(2) {
            let ((_, passed), (giver, _)) = (pair[0], pair[1]);
            let left = self.groups[giver].holds.entry(passed).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.groups[giver].holds.remove(&passed);
                self.shelves[passed].holders.remove(&giver);
            }
        }
        for (group, taken_from) in moves {
            *self.groups[*group].holds.entry(*taken_from).or_default() += 1;
            self.shelves[*taken_from].holders.insert(*group);
        }
    }

    /// Nothing handed out yet.
    fn hands(&self) -> Vec<usize> {
        vec![0; self.shelves.len()]
    }

    /// The next need of a group, in the order of rank, takes the best device that is left of the group's first shelf.
    fn take(&mut self, number: usize, hands: &mut [usize]) -> Result<Given, Refusal> {
        let group = &mut self.groups[number];
        let first = group.shelves.iter().copied().find(|place| group.holds.get(place).is_some_and(|left| *left > 0));
        let place = first.ok_or(Refusal::Exhausted)?;
        if let Some(left) = group.holds.get_mut(&place) {
            *left -= 1;
        }
        let device = self.shelves[place].devices.get(hands[place]).ok_or(Refusal::Exhausted)?;
        hands[place] += 1;
        Ok(given(device, (group.site, group.programme)))
    }
}

pub(super) fn given(device: &InStock, (site, programme): (Uuid, Uuid)) -> Given {
    Given {
        device: device.device,
        place: place(device.site, site),
        of_programme: device.programme == Some(programme),
        grade: device.grade,
        battery: device.battery,
        drive: device.drive,
    }
}

fn place(stock: Option<Uuid>, site: Uuid) -> Place {
    match stock {
        None => Place::Depot,
        Some(stock) if stock == site => Place::OwnSite,
        Some(_) => Place::OtherSite,
    }
}

/// Whether a device of one place and programme may serve a need; the policy says whether stock moves between sites.
pub(super) fn serves(stock: (Option<Uuid>, Option<Uuid>), need: (Uuid, Uuid), between_sites: bool) -> bool {
    stock.1.is_none_or(|programme| programme == need.1) && (between_sites || place(stock.0, need.0) != Place::OtherSite)
}

fn group(site: Uuid, programme: Uuid, shelves: &[Shelf<'_>], between_sites: bool) -> Group {
    let serves = |shelf: &Shelf<'_>| serves((shelf.site, shelf.programme), (site, programme), between_sites);
    let mut fitting: Vec<usize> = (0..shelves.len()).filter(|number| serves(&shelves[*number])).collect();
    fitting.sort_by_key(|number| {
        let shelf = &shelves[*number];
        (place(shelf.site, site), shelf.programme.is_none(), *number)
    });
    Group { site, programme, shelves: fitting, holds: BTreeMap::new(), hopeless: false }
}

fn back(
    start: usize,
    free: usize,
    came_by: &BTreeMap<usize, usize>,
    gave_up: &BTreeMap<usize, usize>,
) -> Vec<(usize, usize)> {
    let mut moves = Vec::new();
    let mut shelf = free;
    while let Some(group) = came_by.get(&shelf).copied() {
        moves.push((group, shelf));
        if group == start {
            break;
        }
        let Some(next) = gave_up.get(&group).copied() else { break };
        shelf = next;
    }
    moves.reverse();
    moves
}
