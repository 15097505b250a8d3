//! Products at booths: associate one, or many.

use crate::{client::Perenso, error::Error, generated::ClientBoothProductExt, types::Product};

impl Perenso {
    /// Products at booths: associate.
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

    /// Puts a product at a booth. The answer is the product once for each of its ordering units.
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
    /// Whatever keeps the call from an answer that can be read. Never sent twice.
    #[doc(alias("Associate a product to a booth", "POST /BoothProduct", "/BoothProduct"))]
    pub async fn associate(&self, booth: &str, product: &str) -> Result<Vec<Product>, Error> {
        let request = self.show.api().booth_product_associate().booth_id(booth).product_id(product);
        Ok(request.send().await?.into_inner())
    }

    /// Puts several products at a booth. Whether they replace those that are there or join them is not documented.
    ///
    /// # Errors
    /// As [`associate`](Self::associate).
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
