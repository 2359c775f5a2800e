//! The interface `org.scriven.Dictation1.Model`: one object a model.

use std::path::PathBuf;

use zbus::{ObjectPath, OwnedObjectPath, interface};

use crate::daemon::{Call, ModelCall};
use crate::error::Error;
use crate::service::{Board, Desk, PATH};

/// What the properties of a model say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelShown {
    pub id: String,
    pub size: u64,
    pub multilingual: bool,
    pub state: &'static str,
    /// Bytes done and bytes in all.
    pub progress: (u64, u64),
    pub detail: String,
}

/// The object at `/org/scriven/Dictation1/model/ID`.
pub(crate) struct ModelObject {
    pub id: String,
    pub desk: Desk,
    pub board: Board<ModelShown>,
}

impl ModelObject {
    /// Where the model `id` lives: path elements know neither dot nor dash.
    pub(crate) fn path(id: &str) -> OwnedObjectPath {
        let id = id.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        ObjectPath::from_string_unchecked(format!("{PATH}/model/{id}")).into()
    }

    async fn ask(&self, call: ModelCall) -> Result<(), Error> {
        self.desk.ask(|reply| Call::Model(self.id.clone(), call, reply)).await
    }
}

#[interface(name = "org.scriven.Dictation1.Model", introspection_docs = false)]
impl ModelObject {
    async fn download(&self) -> Result<(), Error> {
        self.ask(ModelCall::Download).await
    }

    async fn cancel_download(&self) -> Result<(), Error> {
        self.ask(ModelCall::CancelDownload).await
    }

    async fn import(&self, path: String) -> Result<(), Error> {
        self.ask(ModelCall::Import(PathBuf::from(path))).await
    }

    async fn remove(&self) -> Result<(), Error> {
        self.ask(ModelCall::Remove).await
    }

    async fn r#use(&self) -> Result<(), Error> {
        self.ask(ModelCall::Use).await
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.id.clone()
    }

    #[zbus(property)]
    fn size(&self) -> u64 {
        self.board.get().size
    }

    #[zbus(property)]
    fn multilingual(&self) -> bool {
        self.board.get().multilingual
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.board.get().state.into()
    }

    #[zbus(property)]
    fn progress(&self) -> (u64, u64) {
        self.board.get().progress
    }

    #[zbus(property)]
    fn detail(&self) -> String {
        self.board.get().detail
    }
}
