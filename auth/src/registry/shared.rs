//! The store that the shows of a registry share, and over Redis their rate budgets.

use std::{path::Path, sync::Arc};

use super::file::Store;
use crate::{
    pipeline::builder::ClientBuilder,
    store::{FileStore, MemoryStore, TokenStore},
};
#[cfg(feature = "redis")]
use crate::{pipeline::shared_budget::SharedBudget, store::RedisStore};

/// The shared store, and the shared budget if there is one.
pub(super) struct Shared {
    store: Arc<dyn TokenStore>,
    #[cfg(feature = "redis")]
    budget: Option<SharedBudget>,
}

impl Shared {
    pub(super) fn memory() -> Self {
        Self::over(MemoryStore::new())
    }

    fn over(store: impl TokenStore) -> Self {
        Self {
            store: Arc::new(store),
            #[cfg(feature = "redis")]
            budget: None,
        }
    }

    pub(super) fn open(store: Store, directory: &Path) -> Result<Self, String> {
        match (&store.directory, &store.redis_url_file) {
            (Some(_), _) if store.replicas.is_some() => {
                Err("`replicas` in `[store]` shares the rate over Redis: it needs `redis_url_file`".to_owned())
            }
            (Some(tokens), None) => Ok(Self::over(FileStore::new(directory.join(tokens)))),
            (None, Some(_)) => Self::redis(store, directory),
            _ => Err("`[store]` needs either a `directory` or a `redis_url_file`".to_owned()),
        }
    }

    #[cfg(feature = "redis")]
    fn redis(store: Store, directory: &Path) -> Result<Self, String> {
        let path = directory.join(store.redis_url_file.unwrap_or_default());
        let read = move || super::entry::read("redis_url_file", &path);
        let mut builder = RedisStore::builder(read()?).url_source(move || read().ok());
        for host in store.allow_plain {
            builder = builder.allow_plain(host);
        }
        if let Some(path) = store.sealing_secret_file {
            builder = builder.sealing_secret(super::entry::read("sealing_secret_file", &directory.join(path))?);
        }
        if let Some(prefix) = store.prefix {
            builder = builder.prefix(prefix);
        }
        let redis = builder.build().map_err(|error| error.problems().join("; "))?;
        let budget = store.replicas.map(|replicas| SharedBudget::over(&redis, replicas));
        Ok(Self { budget, ..Self::over(redis) })
    }

    #[cfg(not(feature = "redis"))]
    fn redis(_: Store, _: &Path) -> Result<Self, String> {
        Err("`redis_url_file` in `[store]` needs the feature `redis` of perenso-auth".to_owned())
    }

    /// Sets the shared store and budget of a builder.
    pub(super) fn apply_to(&self, builder: ClientBuilder) -> ClientBuilder {
        let builder = builder.store(Arc::clone(&self.store));
        #[cfg(feature = "redis")]
        if let Some(budget) = &self.budget {
            return builder.shared_budget(budget.clone());
        }
        builder
    }
}
