//! Types: records with their builders, enums, and unions.

pub(super) mod builders;
pub(super) mod enums;
pub(super) mod records;
pub(super) mod unions;
