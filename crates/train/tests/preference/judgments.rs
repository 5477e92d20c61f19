//! People's judgments of replies, as they are in Taskmaster-4.

use stateset_core::RunSeed;
use stateset_train::{Judgments, read_judgments};

use crate::data::test_data;

#[test]
fn taskmasters_judgments_are_read_whole() {
    let Some(folder) = test_data("taskmaster-4/reward") else { return };
    let mut all = Judgments::default();
    for number in 0..4 {
        let path = folder.join(format!("reward_{number:02}.json"));
        let text = std::fs::read_to_string(path).unwrap();
        all.add(read_judgments(&text, 6).unwrap());
    }
    assert_eq!(all.len(), 2000);
    let good = all.dialogues.values().flatten().filter(|example| example.desirable).count();
    assert_eq!(good, 1581);
    let longest = all.dialogues.values().flatten().map(|e| e.chat.messages.len()).max();
    assert_eq!(longest, Some(7));
    let (learned, held_out) = all.divided(0.2, RunSeed(1));
    assert!(held_out.len() >= 400 && learned.len() + held_out.len() == 2000);
}
