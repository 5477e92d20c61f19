//! `serve`: how many conversations it holds, for how long, and whether they are written down.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use stateset_serve::LinesFile;
use stateset_serve::conversations::ConversationRules;

/// Minutes of silence where only the number of conversations is limited.
const USUAL_MINUTES: u32 = 30;

/// What holds for conversations whose history the server keeps.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConversationArgs {
    /// Conversations under way at the same time; more are refused with 503
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_conversations: Option<u32>,
    /// Minutes without a message after which a conversation ends: it stays to be read and takes no more
    /// messages. 30 with --max-conversations, otherwise never
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) conversation_timeout: Option<u32>,
    /// Write every turn to conversations.jsonl in the data folder
    #[arg(long)]
    log_conversations: bool,
}

impl ConversationArgs {
    /// The rules, for a server with this data folder.
    pub(crate) fn rules(&self, data_dir: &Path) -> ConversationRules {
        let usual = self.max_conversations.map(|_| USUAL_MINUTES);
        let minutes = self.conversation_timeout.or(usual);
        let idle = minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
        let log = data_dir.join("conversations.jsonl");
        ConversationRules::new(
            self.max_conversations.map(|most| most as usize),
            idle,
            self.log_conversations.then(|| LinesFile::new(log)),
        )
    }
}
