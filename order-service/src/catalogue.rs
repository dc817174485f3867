//! The catalogue as orders are priced by: products from the database, kept in memory for a second. A
//! change made here is seen at once; one made by another process on the same data folder within that
//! second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use events::Sku;

use crate::{
    product::Product,
    store::{Store, StoreError},
};

/// How long a product is believed without looking again.
const FRESH: Duration = Duration::from_secs(1);
/// How many products are kept; beyond it the memory is emptied and filled anew.
const MAX_KEPT: usize = 10_000;

/// The products; clones share them.
#[derive(Clone, Debug)]
pub struct Catalogue {
    store: Store,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Counts the changes, so that what was read before one is not kept after it.
    changes: u64,
    products: HashMap<Sku, (Product, Instant)>,
}

impl Catalogue {
    /// The catalogue of a database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, memory: Arc::default() }
    }

    /// The products of these SKUs, in their order; `None` for those that there are not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>, StoreError> {
        let asked_at = Instant::now();
        let (mut found, missing, changes) = self.recall(skus, asked_at);
        if !missing.is_empty() {
            let read = self.store.products_of(&missing).await?;
            self.keep(&read, asked_at, changes);
            found.extend(read.into_iter().map(|product| (product.sku.clone(), product)));
        }
        Ok(skus.iter().map(|sku| found.get(sku).cloned()).collect())
    }

    /// Adds or changes a product. Answers whether it was added.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&self, product: Product) -> Result<bool, StoreError> {
        let sku = product.sku.clone();
        let added = self.store.put_product(product).await?;
        let mut memory = self.lock();
        memory.changes += 1;
        memory.products.remove(&sku);
        Ok(added)
    }

    /// What is known and fresh, what is missing, and the count of changes that this is as of.
    fn recall(&self, skus: &[Sku], now: Instant) -> (HashMap<Sku, Product>, Vec<Sku>, u64) {
        let memory = self.lock();
        let mut found = HashMap::with_capacity(skus.len());
        let mut missing = Vec::new();
        for sku in skus {
            match memory.products.get(sku) {
                Some((product, at)) if now.duration_since(*at) < FRESH => {
                    found.insert(sku.clone(), product.clone());
                }
                _ => missing.push(sku.clone()),
            }
        }
        (found, missing, memory.changes)
    }

    fn keep(&self, products: &[Product], at: Instant, changes: u64) {
        let mut memory = self.lock();
        if memory.changes != changes {
            return;
        }
        if memory.products.len() + products.len() > MAX_KEPT {
            memory.products.clear();
        }
        memory.products.extend(products.iter().map(|product| (product.sku.clone(), (product.clone(), at))));
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
