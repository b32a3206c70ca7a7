use crate::flows::base::memory::values::{ValuesError, parse_counted};
use crate::flows::base::memory::*;
use crate::settings::VALUE_BYTES;

const MIB: usize = 1024 * 1024;

fn budget() -> MemoryBudget {
    MemoryBudget::new(Buffers {
        answer_bytes: 1_000,
        total_bytes: 10_000,
        unproved_bytes: 4 * MIB,
    })
}

#[test]
fn each_share_ends_exactly_at_its_limit_and_is_released() {
    for (room, limit) in [
        (MemoryBudget::room as fn(&MemoryBudget) -> Room, 10_000),
        (MemoryBudget::pages_room, 5_000),
        (MemoryBudget::unproved_room, 4 * MIB),
    ] {
        let budget = budget();
        for _ in 0..2 {
            let first = room(&budget);
            first.take(limit).unwrap();
            assert_eq!(first.take(1).unwrap_err().status(), 503);
            assert_eq!(room(&budget).take(1).unwrap_err().status(), 503);
        }
        room(&budget).take(limit).unwrap();
    }
}

#[test]
fn of_forty_stalled_unproved_bodies_the_oldest_are_dropped_and_proved_ones_stay() {
    let budget = budget();
    let rooms: Vec<Room> = (0..40).map(|_| budget.unproved_room()).collect();
    let open: Vec<_> = rooms.iter().map(Room::body_buffer).collect();
    for one in &open {
        one.push(&[0; 1_000]).unwrap();
        one.push(&vec![0; MIB - 1_001]).unwrap();
    }
    let held: usize = open.iter().map(BodyBuffer::bytes).sum();
    assert_eq!(
        held,
        budget.in_use.unproved.get(),
        "the counter equals the bytes held"
    );
    assert!(held <= 4 * MIB);
    let small = budget.unproved_room();
    small.body_buffer().push(&vec![0; 1_000_000]).unwrap();
    budget.room().take(10_000).unwrap();
    let gone = open.iter().filter(|one| one.push(&[]).is_err()).count();
    assert_eq!(gone, 37, "the newest three are still open");
    let last = open.into_iter().next_back().unwrap();
    assert_eq!(last.whole().unwrap().len(), MIB - 1);
    drop(rooms);
    assert_eq!(budget.in_use.unproved.get(), 1_000_000);
    assert!(budget.in_use.arriving.borrow().is_empty());
}

#[test]
fn bodies_of_one_account_have_a_quarter_and_stalled_ones_are_dropped_for_others() {
    let budget = budget();
    let account = AccountBodies::default();
    let whole = budget.body_room(&account);
    whole.take_body(1_500).unwrap();
    let stalled = [budget.body_room(&account), budget.body_room(&account)];
    let open = stalled.each_ref().map(Room::body_buffer);
    open[0].push(&[0; 500]).unwrap();
    open[1].push(&[0; 500]).unwrap();
    let next = budget.body_room(&account);
    next.take_body(1).unwrap();
    assert_eq!(open[0].push(&[]).unwrap_err().status(), 503);
    open[1].push(&[]).unwrap();
    next.take_body(499).unwrap();
    open[1].push(&[]).unwrap();
    next.take_body(1).unwrap();
    assert!(open[1].push(&[]).is_err());
    next.take_body(499).unwrap();
    assert_eq!(next.take_body(1).unwrap_err().status(), 503);
    next.take(5_000).unwrap();
    budget
        .body_room(&AccountBodies::default())
        .take_body(2_499)
        .unwrap();
    drop(open);
    drop((stalled, whole, next));
    assert_eq!((account.get(), budget.in_use.proved.get()), (0, 0));
}

#[test]
fn stalled_proved_bodies_are_dropped_if_that_makes_enough_room() {
    let budget = budget();
    let held = budget.room();
    held.take(5_000).unwrap();
    let own = AccountBodies::default;
    let stalled: Vec<Room> = (0..2).map(|_| budget.body_room(&own())).collect();
    let open: Vec<_> = stalled.iter().map(Room::body_buffer).collect();
    open[0].push(&[0; 2_500]).unwrap();
    open[1].push(&[0; 2_500]).unwrap();
    assert!(budget.room().take(5_001).is_err());
    assert!(
        open.iter().all(|one| one.push(&[]).is_ok()),
        "none is dropped without effect"
    );
    budget.unproved_room().take(4 * MIB).unwrap();
    budget.room().take(2_500).unwrap();
    assert!(open[0].push(&[]).is_err());
    assert!(open[1].push(&[]).is_ok());
    let answer = budget.room();
    let buffer = answer.body_buffer();
    drop(held);
    buffer.push(&[0; 5_000]).unwrap();
    assert!(budget.room().take(5_001).is_err());
    assert!(
        buffer.push(&[]).is_ok(),
        "a provider's response is not dropped"
    );
}

#[test]
fn a_proved_room_moves_to_the_proved_share_if_it_fits() {
    let budget = budget();
    let room = budget.unproved_room();
    room.take(6_000).unwrap();
    let other = budget.room();
    other.take(4_001).unwrap();
    assert_eq!(room.prove().unwrap_err().status(), 503);
    drop(other);
    room.prove().unwrap();
    assert!(budget.room().take(4_001).is_err());
    budget.unproved_room().take(4 * MIB).unwrap();
    drop(room);
    budget.room().take(10_000).unwrap();
}

#[test]
fn values_are_counted_and_reserved_before_they_are_built() {
    let budget = budget();
    let room = budget.room();
    let built = parse_counted(b"[1,2]", 3, &room).unwrap();
    assert_eq!(built, serde_json::json!([1, 2]));
    assert_eq!(room.taken.bytes.get(), 3 * VALUE_BYTES + 5);
    let over = parse_counted(b"[1,2]", 2, &room);
    assert!(matches!(over, Err(ValuesError::TooMany(2))));
    let broken = parse_counted(b"[1,2", 9, &room);
    assert!(matches!(broken, Err(ValuesError::NotJson(_))));
    let long = format!("[{}]", vec!["0"; 200].join(","));
    let refused = parse_counted(long.as_bytes(), 1_000, &room).unwrap_err();
    assert_eq!(refused.of_caller("It").status(), 503);
}
