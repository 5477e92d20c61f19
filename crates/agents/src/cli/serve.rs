//! `serve`: the HTTP service.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use clap::Args;
use stateset_serve::jobs::serve_deployed;
use stateset_serve::security::{GeneratedKey, KeyStore, keep_keys_fresh};
use stateset_serve::store::Store;
use stateset_serve::{
    App, Library, LoadOptions, Loaded, Models, OpenModel, ServedModel, Server, Services, Stopper,
};
use stateset_train::TrainError;

use super::error::{CliError, Outcome};
use super::model::{DEFAULT_MODEL, MachineArgs, open_model};
use super::output::say;
use super::serve_conversations::ConversationArgs;
use super::serve_guard::{GuardArgs, show};
use super::serve_state::StateArgs;
use super::serve_watch::WatchArgs;
use super::signals::on_signals;

/// Serve a model over HTTP
///
/// Speaks the OpenAI API under /v1. Ctrl-C or a request to terminate lets running requests end.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// The model: builtin:tiny, stub:, a folder (of a model, an adapter, a checkpoint or a run), or a
    /// name on the model hub such as owner/name
    #[arg(long, visible_alias = "checkpoint", value_name = "MODEL", default_value = DEFAULT_MODEL)]
    pub(crate) model: String,
    /// Folder of a PEFT adapter to put onto the model
    #[arg(long, value_name = "DIR")]
    adapter: Option<std::path::PathBuf>,
    /// What clients call the model; the name it was given by where absent
    #[arg(long, value_name = "NAME")]
    served_name: Option<String>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = host)]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one and says which
    #[arg(long, value_name = "N", default_value_t = 8000)]
    port: u16,
    /// Answers that are sampled at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: u16,
    /// Tokens of the longest conversation
    #[arg(long, value_name = "N", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(16..))]
    context: u32,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    pub(crate) conversations: ConversationArgs,
    #[command(flatten)]
    machine: MachineArgs,
    #[command(flatten)]
    pub(crate) guard: GuardArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

/// Serves until it is asked to stop.
pub(crate) fn run(args: ServeArgs) -> Outcome {
    args.guard.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CliError::failed(format!("start the program: {error}")))?;
    let place = &args.state.place;
    let store = runtime.block_on(place.store())?;
    let kept = place.keys(args.guard.keys_file.as_ref(), &store);
    let config = args.guard.config(args.host, args.port, &place.data_dir, &kept);
    let (mut config, generated) = runtime.block_on(config)?;
    args.state.show_to_people(&mut config);
    args.watch.add_to(&mut config)?;
    config.conversations = args.conversations.rules(&place.data_dir);
    // Models are opened outside of the runtime: some are fetched, and that waits.
    let app = App::new(config, Models::new(vec![args.load()?]));
    runtime.block_on(args.serve(app, store, kept, generated))
}

impl ServeArgs {
    /// What clients call the model.
    fn name(&self) -> &str {
        self.served_name.as_ref().unwrap_or(&self.model)
    }

    fn is_stub(&self) -> bool {
        self.model.starts_with("stub:")
    }

    fn options(&self) -> LoadOptions {
        LoadOptions {
            threads: self.machine.threads(),
            slots: usize::from(self.slots),
            context: self.context as usize,
            date: self.machine.date(),
            ..LoadOptions::default()
        }
    }

    fn load(&self) -> Outcome<ServedModel> {
        if self.is_stub() {
            return Ok(ServedModel::stub(self.name(), Vec::new()));
        }
        let source = open_model(&self.model, self.adapter.as_deref())?;
        ServedModel::load(self.name(), source, &self.options()).map_err(CliError::loading)
    }

    async fn serve(
        &self,
        app: App,
        store: Store,
        kept: KeyStore,
        generated: Option<GeneratedKey>,
    ) -> Outcome {
        let scheme = if app.config().tls.is_some() { "https" } else { "http" };
        let server = Server::bind(app.clone()).map_err(CliError::bad)?;
        let address = server.address().map_err(CliError::failed)?;
        if let Some(key) = &generated {
            show(key, app.config());
        }
        tokio::spawn(keep_keys_fresh(kept, app.config().security.clone()));
        let services = self.services(store);
        app.keep(services.clone());
        tokio::spawn(serve_deployed(app));
        stop_on_signal(server.stopper());
        say(format_args!("listening on {scheme}://{address}"));
        let served = server.run().await.map_err(CliError::failed);
        services.stop().await;
        served
    }

    /// What the server remembers, and where its models come from.
    fn services(&self, store: Store) -> Services {
        let library = Library::new(self.name(), self.opener());
        if !self.is_stub() {
            let loaded = Loaded { source: self.model.clone(), options: self.options() };
            library.remember(self.name(), loaded);
        }
        self.state.services(store, library)
    }

    /// Opens models by name; the server's own with its adapter.
    fn opener(&self) -> OpenModel {
        let (own, adapter) = (self.model.clone(), self.adapter.clone());
        Arc::new(move |name| {
            let adapter = adapter.as_deref().filter(|_| name == own);
            open_model(name, adapter).map_err(|error| {
                let message = match error {
                    CliError::BadInput(message) | CliError::Failed(message) => message,
                    other => format!("{other:?}"),
                };
                let message = message.trim_start_matches("failed to ").to_owned();
                TrainError::Invalid { what: "open the model", message }
            })
        })
    }
}

/// An address, or the name that every machine has for itself.
fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        _ => {
            text.parse().map_err(|_| "write an IP address such as 0.0.0.0, or localhost".to_owned())
        }
    }
}

/// From now on the first signal lets running requests end well; the second cuts them off.
fn stop_on_signal(stopper: Stopper) {
    let text = "stopping: running requests are finished first; once more to stop at once";
    let now = stopper.clone();
    on_signals(text, move || stopper.stop(), move || now.stop_now());
}
