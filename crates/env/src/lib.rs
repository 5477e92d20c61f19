//! Environments, scenarios, scripted and simulated users, and rewards; no model, no tensors.
