//! Its models: the large one cannot be had, the others arrive.

use zbus::fdo;
use zbus::object_server::SignalEmitter;

use super::Error;

pub(super) struct Model {
    id: String,
    state: String,
    progress: (u64, u64),
    detail: String,
}

impl Model {
    pub(super) fn new(id: &str, state: &str) -> Self {
        Self { id: id.into(), state: state.into(), progress: (0, 0), detail: String::new() }
    }
}

#[zbus::interface(name = "org.scriven.Dictation1.Model")]
impl Model {
    /// The large one fails, the others arrive; both after a moment.
    async fn download(
        &mut self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<()> {
        self.state = "downloading".into();
        self.progress = (30_000_000, 75_000_000);
        self.detail = "trying the first source".into();
        self.state_changed(&emitter).await?;
        self.progress_changed(&emitter).await?;
        self.detail_changed(&emitter).await?;
        let (path, connection) = (emitter.path().to_owned(), emitter.connection().clone());
        let outcome = if self.id == "large-v3" { "failed" } else { "installed" };
        let arrive = move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            zbus::block_on(async {
                let model = connection.object_server().interface::<_, Self>(path).await.unwrap();
                let mut this = model.get_mut().await;
                this.state = outcome.into();
                if outcome == "failed" {
                    this.detail = "every source was tried".into();
                } else {
                    this.detail.clear();
                }
                this.detail_changed(model.signal_emitter()).await.unwrap();
                this.state_changed(model.signal_emitter()).await.unwrap();
            });
        };
        std::thread::Builder::new().spawn(arrive).unwrap();
        Ok(())
    }

    async fn cancel_download(&mut self) {
        self.state = "absent".into();
    }
    async fn import(&self, _path: &str) {}
    async fn remove(&mut self) {
        self.state = "absent".into();
    }
    #[zbus(name = "Use")]
    async fn select(&self) -> Result<(), Error> {
        match self.state.as_str() {
            "installed" => Ok(()),
            _ => Err(Error::NoModel(format!("{} is not installed", self.id))),
        }
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> &str {
        &self.id
    }
    #[zbus(property)]
    fn size(&self) -> u64 {
        75_000_000
    }
    #[zbus(property(emits_changed_signal = "const"))]
    fn multilingual(&self) -> bool {
        true
    }
    #[zbus(property)]
    fn state(&self) -> &str {
        &self.state
    }
    #[zbus(property)]
    fn progress(&self) -> (u64, u64) {
        self.progress
    }
    #[zbus(property)]
    fn detail(&self) -> &str {
        &self.detail
    }
}
