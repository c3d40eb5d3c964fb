//! Files: what is too large for a row, such as a photo. They lie in a folder or in a bucket, under names that begin
//! with the tenant, and a row says which is whose.
//!
//! A file is written before the row that names it and is never changed, so a row never names what is not there. What
//! no row came to name, because the process ended in between or the row was not written, is found by its name
//! ([`Files::made_between`]), which says when it was made.

use crate::Fault;
use aws_lc_rs::digest::{SHA256, digest};
use domain::{ids::TenantId, time::Timestamp};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, memory::InMemory,
    path::Path as Place, prefix::PrefixStore,
};
use std::{
    collections::BTreeSet,
    fmt,
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::OnceCell, time::timeout};
use url::Url;
use uuid::Uuid;

/// How long a file may take to be written or read: well within the time of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most files that are looked through at once: what a large brand adds in a week, and no burden on memory.
pub const MOST_FOUND: usize = 100_000;

/// What may be said about a bucket behind the question mark of its address.
const OPTIONS: [&str; 6] = [
    "access_key_id",
    "allow_http",
    "endpoint",
    "region",
    "secret_access_key",
    "virtual_hosted_style_request",
];

/// The place for files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoFiles {
    /// The address is not one.
    #[error(
        "it must be an address such as file:///var/lib/aftercare/evidence or s3://bucket/folder?region=eu-central-1"
    )]
    NoAddress,
    /// The address says something that nobody knows.
    #[error(
        "it does not know {0}; it knows access_key_id, allow_http, endpoint, region, secret_access_key and virtual_hosted_style_request"
    )]
    UnknownOption(String),
    /// The program was built without buckets.
    #[error(
        "this program was built without buckets: build it with cargo build --release --features s3"
    )]
    NoBuckets,
    /// What is behind the address cannot be used.
    #[error("it cannot be used")]
    Unusable(#[source] object_store::Error),
}

/// A place for files. A clone is the same place.
#[derive(Clone)]
pub struct Files(Arc<Kept>);

struct Kept {
    folder: Option<PathBuf>,
    open: OnceCell<Arc<dyn ObjectStore>>,
    says: String,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.0.says)
    }
}

impl fmt::Display for Files {
    /// In words, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.says)
    }
}

impl Files {
    /// Files in a folder, which is made when the first one is written. Only its owner can look into it.
    pub fn in_folder(folder: &Path) -> Self {
        let says = format!("the folder {}", folder.display());
        Self(Arc::new(Kept { folder: Some(folder.to_owned()), open: OnceCell::new(), says }))
    }

    /// Files in the memory of this process, for tests: they are gone when it ends.
    pub fn in_memory() -> Self {
        Self::opened(Arc::new(InMemory::new()), "the memory of this process".to_owned())
    }

    /// Files at an address: `file:///folder`, `memory:///`, or `s3://bucket/folder` with what the bucket needs behind
    /// a question mark.
    ///
    /// # Errors
    ///
    /// [`NoFiles`] says what is wrong with it.
    pub fn at(address: &str) -> Result<Self, NoFiles> {
        let url: Url = address.parse().map_err(|_| NoFiles::NoAddress)?;
        match url.scheme() {
            "file" => Ok(Self::in_folder(&url.to_file_path().map_err(|()| NoFiles::NoAddress)?)),
            "memory" => Ok(Self::in_memory()),
            "s3" => Self::in_bucket(url),
            _ => Err(NoFiles::NoAddress),
        }
    }

    fn in_bucket(mut url: Url) -> Result<Self, NoFiles> {
        if !cfg!(feature = "s3") {
            return Err(NoFiles::NoBuckets);
        }
        let options: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if let Some((name, _)) = options.iter().find(|(name, _)| !OPTIONS.contains(&&**name)) {
            return Err(NoFiles::UnknownOption(name.clone()));
        }
        url.set_query(None);
        let says = format!("the bucket {url}");
        let options = options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (bucket, folder) =
            object_store::parse_url_opts(&url, options).map_err(NoFiles::Unusable)?;
        Ok(Self::opened(Arc::new(PrefixStore::new(bucket, folder)), says))
    }

    fn opened(place: Arc<dyn ObjectStore>, says: String) -> Self {
        Self(Arc::new(Kept { folder: None, open: OnceCell::new_with(Some(place)), says }))
    }

    /// Writes a file; it is on disk, or in the bucket, when this is done.
    ///
    /// # Errors
    ///
    /// [`Fault::Files`] when it cannot be written.
    pub async fn keep(
        &self,
        tenant: TenantId,
        id: Uuid,
        bytes: impl Into<PutPayload>,
    ) -> Result<(), Fault> {
        let (open, name, bytes) = (self.open().await?, name(tenant, id), bytes.into());
        in_time(open.put(&name, bytes)).await.map(|_| ())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Fault::Files`] when it cannot be read.
    pub async fn read(&self, tenant: TenantId, id: Uuid) -> Result<Vec<u8>, Fault> {
        let (open, name) = (self.open().await?, name(tenant, id));
        let bytes = in_time(async { open.get(&name).await?.bytes().await }).await?;
        Ok(bytes.into())
    }

    /// Takes a file away that no row names.
    ///
    /// # Errors
    ///
    /// [`Fault::Files`] when it cannot be taken away.
    pub async fn forget(&self, tenant: TenantId, id: Uuid) -> Result<(), Fault> {
        let (open, name) = (self.open().await?, name(tenant, id));
        in_time(open.delete(&name)).await
    }

    /// The files of a tenant whose names were made from an instant on and before another one: at most
    /// [`MOST_FOUND`], and those that are found in the time that one question has.
    ///
    /// # Errors
    ///
    /// [`Fault::Files`] when the place cannot be looked through.
    pub async fn made_between(
        &self,
        tenant: TenantId,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<BTreeSet<Uuid>, Fault> {
        let (open, until) = (self.open().await?, first_name_of(until));
        let (folder, from) = (folder_of(tenant), name(tenant, first_name_of(from)));
        let found = open.list_with_offset(Some(&folder), &from).try_filter_map(async |file| {
            let id: Option<Uuid> = file.location.filename().and_then(|name| name.parse().ok());
            Ok(id.filter(|id| *id < until))
        });
        let late = tokio::time::sleep(PATIENCE);
        let found = found.take(MOST_FOUND).take_until(late);
        found.try_collect().await.map_err(Fault::Files)
    }

    /// Writes a file of nobody's and takes it away again, to see whether that goes.
    ///
    /// # Errors
    ///
    /// [`Fault::Files`] when it does not.
    pub async fn probe(&self) -> Result<(), Fault> {
        let (nobody, probe) = (TenantId::from(Uuid::nil()), Uuid::nil());
        self.keep(nobody, probe, "can files be kept here?").await?;
        self.forget(nobody, probe).await
    }

    async fn open(&self) -> Result<Arc<dyn ObjectStore>, Fault> {
        let folder = self.0.folder.as_deref();
        let open = || async { open_folder(folder.unwrap_or(Path::new(""))) };
        self.0.open.get_or_try_init(open).await.cloned()
    }
}

/// The SHA-256 of the bytes of a file, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let hashed = digest(&SHA256, bytes);
    hashed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn folder_of(tenant: TenantId) -> Place {
    Place::from(Uuid::from(tenant).to_string())
}

/// Names are identifiers of version 7, which begin with the millisecond in which they were made: all that were made
/// from an instant on come after this one.
pub(crate) fn first_name_of(instant: Timestamp) -> Uuid {
    let seconds = u64::try_from(instant.unix_seconds()).unwrap_or_default();
    Uuid::from_u128(u128::from(seconds.saturating_mul(1_000)) << 80)
}

fn name(tenant: TenantId, id: Uuid) -> Place {
    Place::from_iter([Uuid::from(tenant).to_string(), id.to_string()])
}

fn open_folder(folder: &Path) -> Result<Arc<dyn ObjectStore>, Fault> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        Fault::Files(object_store::Error::Generic { store: "folder", source: error.into() })
    })?;
    let place = LocalFileSystem::new_with_prefix(folder).map_err(Fault::Files)?;
    Ok(Arc::new(place.with_fsync(true)))
}

async fn in_time<T>(
    work: impl Future<Output = Result<T, object_store::Error>>,
) -> Result<T, Fault> {
    let late = |_| {
        let source = "it took too long".into();
        Fault::Files(object_store::Error::Generic { store: "files", source })
    };
    timeout(PATIENCE, work).await.map_err(late)?.map_err(Fault::Files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> TenantId {
        Uuid::from_u128(number).into()
    }

    async fn keeps_and_forgets(files: &Files) {
        let id = Uuid::from_u128(7);
        files.keep(tenant(1), id, "bytes").await.unwrap();
        assert_eq!(files.read(tenant(1), id).await.unwrap(), b"bytes");
        assert!(files.read(tenant(2), id).await.is_err());
        files.forget(tenant(1), id).await.unwrap();
        assert!(files.read(tenant(1), id).await.is_err());
        finds_what_was_made_in_a_while(files).await;
        files.probe().await.unwrap();
    }

    async fn finds_what_was_made_in_a_while(files: &Files) {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, until) = (at("2026-11-20T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        let made_at = |instant| Uuid::from_u128(first_name_of(instant).as_u128() | (7 << 76) | 5);
        let times = [from.plus_seconds(-1), from, until.plus_seconds(-1), until];
        for one in times {
            files.keep(tenant(3), made_at(one), "bytes").await.unwrap();
        }
        let found = files.made_between(tenant(3), (from, until)).await.unwrap();
        assert_eq!(found, times[1..3].iter().map(|one| made_at(*one)).collect());
        assert!(files.made_between(tenant(4), (from, until)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_is_kept_for_its_tenant_until_it_is_forgotten() {
        keeps_and_forgets(&Files::in_memory()).await;
        let folder = std::env::temp_dir().join(format!("aftercare-files-{}", std::process::id()));
        let files = Files::at(&format!("file://{}", folder.display())).unwrap();
        assert!(!folder.exists());
        keeps_and_forgets(&files).await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_a_fault() {
        let files = Files::in_folder(Path::new("/dev/null/evidence"));
        assert!(matches!(files.probe().await, Err(Fault::Files(_))));
    }

    #[test]
    fn an_address_is_one_of_those_that_are_known() {
        for address in ["", "evidence", "ftp://example.com", "http://example.com/x"] {
            assert!(matches!(Files::at(address), Err(NoFiles::NoAddress)), "{address}");
        }
        assert_eq!(Files::at("memory:///").unwrap().to_string(), "the memory of this process");
    }

    #[cfg(feature = "s3")]
    #[test]
    fn a_bucket_does_not_say_its_secret() {
        let address =
            "s3://photos/aftercare?region=eu-central-1&access_key_id=AK&secret_access_key=hush";
        let bucket = Files::at(address).unwrap();
        assert_eq!(format!("{bucket:?}"), "Files(the bucket s3://photos/aftercare)");
        let unknown = Files::at("s3://photos?reigon=eu-central-1").unwrap_err();
        assert!(matches!(unknown, NoFiles::UnknownOption(name) if name == "reigon"));
    }
}
