//! Products at booths: associate one or several.

use crate::{client::Perenso, error::Error, generated::prelude::*, types::*};

impl Perenso {
    /// Returns the calls on products at booths: associate.
    pub fn booth_products(&self) -> BoothProducts<'_> {
        BoothProducts::new(self)
    }
}

/// The products at the booths of a show.
#[doc(alias("booth product"))]
#[derive(Clone, Copy, Debug)]
pub struct BoothProducts<'a> {
    show: &'a Perenso,
}

impl<'a> BoothProducts<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    #[cfg_attr(partial_facade, cfg(facade = "booth_products().associate()"))]
    /// Associates a product with a booth. Returns the product once for each of its ordering units.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// for product in show.booth_products().associate("BOOTH1541", "PROD8122").await? {
    ///     println!("{:?} at {:?}", product.order_unit, product.price);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The call fails, or its response cannot be read. Never retried after it may have been processed.
    #[doc(alias("Associate a product to a booth", "POST /BoothProduct", "/BoothProduct"))]
    pub async fn associate(&self, booth: &str, product: &str) -> Result<Vec<Product>, Error> {
        let request = self.show.api().booth_product_associate().booth_id(booth).product_id(product);
        Ok(request.send().await?.into_inner())
    }

    #[cfg_attr(partial_facade, cfg(facade = "booth_products().associate_many()"))]
    /// Associates several products with a booth. The vendor does not document if they replace the existing ones.
    ///
    /// # Errors
    /// Fails as [`associate`](Self::associate) does.
    #[doc(alias("Associate multiple products to a booth", "PUT /BoothProduct", "/BoothProduct"))]
    pub async fn associate_many<P: Into<String>>(
        &self,
        booth: &str,
        products: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Product>, Error> {
        let products: Vec<String> = products.into_iter().map(Into::into).collect();
        let request = self.show.api().booth_product_associate_many().booth_id(booth).body(products);
        Ok(request.send().await?.into_inner())
    }
}
