//! The `Debug` form of errors, which `?` in `main` and `unwrap` print: the message and those of the causes.

use std::{error::Error, fmt};

/// Writes the message of an error, and the messages of its causes that it does not contain already.
///
/// # Errors
/// Fails if the formatter fails.
pub fn write(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    f.write_str(&text)
}

/// Implements `Debug` for errors by [`write`].
#[doc(hidden)]
#[macro_export]
macro_rules! __readable_debug {
    ($($error:ty),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::debug::write(self, f)
            }
        }
    )+};
}

crate::__readable_debug!(
    crate::BuildError,
    crate::CallbackError,
    crate::Error,
    crate::UnknownRegion,
    crate::wire::decode::Shape,
    crate::store::StoreError,
);
#[cfg(feature = "registry")]
crate::__readable_debug!(crate::RegistryError);

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, io, sync::Arc};

    use super::*;
    use crate::{
        BuildError, CallbackError, ErrorKind, TenantRegion,
        store::{StoreError, StoreErrorKind},
        wire::decode::Shape,
    };

    fn shown(error: &impl Error) -> String {
        assert_eq!(format!("{error:?}"), format!("{error:#?}"));
        format!("{error:?}")
    }

    #[test]
    fn the_debug_form_of_every_error_is_its_message() {
        let region = "moon".parse::<TenantRegion>().unwrap_err();
        assert_eq!(shown(&region), "expected `APAC`, `EU` or `US` as the tenant region");
        let build = BuildError::new(["no id: call `a`".to_owned(), "no secret: call `b`".to_owned()]);
        assert_eq!(shown(&build), "the client cannot be built: no id: call `a`; no secret: call `b`");
        let denied = CallbackError::Denied { error: "access_denied".to_owned(), description: None };
        assert_eq!(shown(&denied), "access was not granted: access_denied");
        let shape: Shape = serde::de::Error::missing_field("id");
        assert_eq!(shown(&shape), "field `id` is missing");
    }

    #[test]
    fn causes_follow_unless_the_message_contains_them() {
        let cause = || io::Error::other("the disk is full");
        let error = StoreError::new(StoreErrorKind::Unavailable, "nothing can be written").because(cause());
        assert_eq!(shown(&error), "nothing can be written: the disk is full");
        let error = StoreError::new(StoreErrorKind::Unavailable, "no write: the disk is full").because(cause());
        assert_eq!(shown(&error), "no write: the disk is full");
        let error = crate::Error::new(ErrorKind::Broken, Cow::Borrowed("list"), "the connection broke")
            .with(|inner| inner.source = Some(Arc::new(error.clone())));
        assert_eq!(shown(&error), "list: the connection broke: no write: the disk is full");
    }

    #[test]
    #[cfg(feature = "registry")]
    fn the_debug_form_of_a_registry_error_is_its_message() {
        let error = crate::Registry::builder().parse("[shows]").unwrap_err();
        assert_eq!(shown(&error), error.to_string());
        assert!(error.to_string().contains("it has no show"), "{error}");
    }
}
