//! Several agents as one: a router says who takes a turn, and who takes over is told what was before.
//!
//! The notes hold who has the conversation, what they were told when they took over, and every member's own notes. The
//! choice a reader would question: only members that `learn` write into the token trace. A trace belongs to one
//! policy; tokens of others would be scored by weights that never drew them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use stateset_core::{Agent, AgentReply, AgentRequest, Border, RolloutError, TokenTrace};
use stateset_env::EnvError;
use stateset_env::agents::team::{BRIEFING, Handover, IntentRouter, Skill};

const ACTIVE: &str = "active";
const AGENTS: &str = "agents";
const TURNS: &str = "turns";

/// Turns of which the notes say who took them; the newest ones.
const MAX_TURNS: usize = 1000;

/// An agent of a team.
#[derive(Clone)]
pub struct TeamMember {
    /// What it is for.
    pub skill: Skill,
    /// Who answers.
    pub agent: Arc<dyn Agent>,
    /// Its tokens are recorded and trained on. All members that learn must share one policy.
    pub learns: bool,
}

/// Agents with a router before them.
#[derive(Clone)]
pub struct Team {
    router: IntentRouter,
    members: Vec<TeamMember>,
}

impl Team {
    /// A team; the first member takes what fits nobody.
    ///
    /// # Errors
    /// [`EnvError::Agent`] for no members, or names that do not tell them apart.
    pub fn new(members: Vec<TeamMember>) -> Result<Self, EnvError> {
        let skills = members.iter().map(|member| member.skill.clone()).collect();
        Ok(Team { router: IntentRouter::new(skills)?, members })
    }

    /// The same team, in which another agent must fit better by `margin` to take a conversation over.
    pub fn with_margin(mut self, margin: f64) -> Self {
        self.router.margin = margin;
        self
    }
}

#[async_trait]
impl Agent for Team {
    async fn reply(&self, mut request: AgentRequest) -> Result<AgentReply, RolloutError> {
        let impossible = |error: EnvError| RolloutError::new(Border::Environment, error);
        let mut notes = std::mem::take(&mut request.notes);
        let name_of = |index: usize| self.members[index].skill.name.as_str();
        let active = notes.get(ACTIVE).and_then(Value::as_str);
        let before = self.members.iter().position(|m| Some(m.skill.name.as_str()) == active);
        let route =
            self.router.route(&request.messages, &request.context, before).map_err(impossible)?;
        let name = name_of(route.to);
        if let Some(before) = before.filter(|before| *before != route.to) {
            let handover = Handover::of(name_of(before), name, &route.why, &request.messages);
            notes.insert(BRIEFING.to_owned(), handover.to_text().into());
        }
        notes.insert(ACTIVE.to_owned(), name.into());
        if let Some(briefing) = notes.get(BRIEFING) {
            request.context.insert(BRIEFING.to_owned(), briefing.clone());
        }
        let mut of_members = match notes.remove(AGENTS) {
            Some(Value::Object(of_members)) => of_members,
            _ => Map::new(),
        };
        if let Some(Value::Object(own)) = of_members.get(name) {
            request.notes = own.clone();
        }
        let member = &self.members[route.to];
        if !member.learns {
            request.trace = TokenTrace::new();
        }
        let mut reply = member.agent.reply(request).await?;
        if !member.learns {
            reply.completion.sampled = None;
        }
        of_members.insert(name.to_owned(), reply.notes.into());
        notes.insert(AGENTS.to_owned(), of_members.into());
        note_turn(&mut notes, name);
        Ok(AgentReply { completion: reply.completion, notes })
    }
}

/// Who took the turn, after those before.
fn note_turn(notes: &mut Map<String, Value>, name: &str) {
    let turns = notes.entry(TURNS).or_insert_with(|| Value::Array(Vec::new()));
    if let Some(turns) = turns.as_array_mut() {
        turns.push(name.into());
        let surplus = turns.len().saturating_sub(MAX_TURNS);
        turns.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stateset_core::{Completion, FinishReason, Message, Purpose, RunSeed, StreamKey};

    use super::*;

    /// Says what it was told.
    struct Repeats(&'static str);

    #[async_trait]
    impl Agent for Repeats {
        async fn reply(&self, request: AgentRequest) -> Result<AgentReply, RolloutError> {
            let told = request.context.get(BRIEFING).and_then(Value::as_str).unwrap_or("nothing");
            let message = Message::assistant(format!("{}: {told}", self.0));
            let completion = Completion { message, sampled: None, finish: FinishReason::Stop };
            let n = request.notes.get("n").and_then(Value::as_u64).unwrap_or(0);
            let notes = json!({"n": n + 1}).as_object().cloned().unwrap_or_default();
            Ok(AgentReply { completion, notes })
        }
    }

    fn team() -> Team {
        let member = |name: &'static str, keywords: &[&str]| TeamMember {
            skill: Skill {
                name: name.into(),
                description: String::new(),
                keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
            },
            agent: Arc::new(Repeats(name)),
            learns: true,
        };
        Team::new(vec![member("front", &[]), member("billing", &["refund"])]).unwrap()
    }

    #[tokio::test]
    async fn a_conversation_changes_hands_with_what_is_known() {
        let team = team();
        let mut messages = Vec::new();
        let mut notes = Map::new();
        let mut said = Vec::new();
        for text in ["Hello, my name is Anna.", "I want a refund.", "Yes, please."] {
            messages.push(Message::user(text));
            let stream = RunSeed(0).stream(Purpose::Sampling, StreamKey::default());
            let request = AgentRequest { notes, ..AgentRequest::new(messages.clone(), stream) };
            let reply = team.reply(request).await.unwrap();
            notes = reply.notes;
            said.push(reply.completion.message.content.clone());
            messages.push(reply.completion.message);
        }
        assert_eq!(said[0], "front: nothing");
        assert!(said[1].starts_with("billing: You take over from front"), "{}", said[1]);
        assert!(said[1].contains("- name: Anna"), "{}", said[1]);
        // The briefing is that of the hand-over, however long the conversation goes on.
        assert_eq!(said[1], said[2]);
        assert_eq!(notes["agents"], json!({"front": {"n": 1}, "billing": {"n": 2}}));
        assert_eq!(notes["turns"], json!(["front", "billing", "billing"]));
    }
}
