//! Everything that talks to the outside for an agent; for now the model hub.
