//! Admission of an attempt: a token, and a permit of the rate budget.

use std::{sync::Arc, time::Duration};

use super::RetryLoop;
use crate::{
    clock::within,
    oauth::token::Token,
    pipeline::{
        budget::Exhausted,
        error::{Error, ErrorKind},
        stop::unless_stopped,
    },
};

impl RetryLoop<'_> {
    /// Waits for a permit. Returns true if the call waited, so that its token may have expired.
    pub(super) async fn wait_for_permit(&mut self) -> Result<bool, Error> {
        self.unless_stop_is_requested()?;
        if self.client.budget.try_permit() {
            return Ok(false);
        }
        let waited = self.context.waited_for_budget;
        match unless_stopped(self.stop, Box::pin(self.permit())).await {
            Some(permit) => permit?,
            None => return Err(self.stopped()),
        }
        Ok(self.context.waited_for_budget != waited)
    }

    async fn permit(&mut self) -> Result<(), Error> {
        let own = self.client.timeouts.budget;
        let limit = self.until_deadline().map_or(own, |left| own.min(left));
        #[cfg(feature = "redis")]
        match within(self.client.clock.as_ref(), limit, self.client.identify_budget()).await {
            Some(Ok(())) => {}
            Some(Err(fault)) => return Err(self.context.token_error(Arc::new(fault))),
            None => return Err(self.out_of_time()),
        }
        let permit = self.client.budget.permit(limit).await;
        let (Ok(waited) | Err(Exhausted { waited, .. })) = &permit;
        self.context.waited_for_budget += *waited;
        self.context.waited += *waited;
        match permit {
            Ok(_) => Ok(()),
            Err(Exhausted { cooldown: Some(cooldown), .. }) => {
                let detail = format!("the server asked for a cooldown of all calls, which lasts another {cooldown:?}");
                Err(self.context.error(ErrorKind::RateLimited, detail).with(|inner| inner.retry_after = Some(cooldown)))
            }
            Err(_) if limit < own => Err(self.out_of_time()),
            Err(_) => {
                let detail = format!(
                    "the rate budget granted no permit within {own:?}; send fewer calls at once, or raise `Timeouts::budget` \
                     or the rate"
                );
                Err(self.context.error(ErrorKind::Budget, detail))
            }
        }
    }

    /// Returns a token that was not refused.
    pub(super) async fn token(&self) -> Result<Arc<Token>, Error> {
        self.unless_stop_is_requested()?;
        let refused = match self.client.cache.hit() {
            Some(token) if self.is_refused(&token) => Some(token.generation),
            Some(token) => return Ok(token),
            None => self.refused,
        };
        unless_stopped(self.stop, Box::pin(self.new_token(refused))).await.unwrap_or_else(|| Err(self.stopped()))
    }

    async fn new_token(&self, refused: Option<u64>) -> Result<Arc<Token>, Error> {
        let asked = self.client.cache.ask_other(Duration::ZERO, refused);
        match within(self.client.clock.as_ref(), self.left(), asked).await {
            Some(Ok(token)) => Ok(token),
            Some(Err(fault)) => {
                if self.replayed {
                    self.client.unauthorized.forget(&self.context.operation);
                }
                Err(self.context.token_error(fault))
            }
            None => Err(self.out_of_time()),
        }
    }

    /// Returns true if this call needs another token: the API returned 401 for this one, or the body can be sent only once and
    /// the token is in doubt.
    fn is_refused(&self, token: &Token) -> bool {
        self.refused == Some(token.generation) || (self.is_stream && token.is_doubted())
    }
}
