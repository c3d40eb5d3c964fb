//! What the rows of a file say.
//!
//! A file is another way to push: a row becomes the details that the API would be sent for the
//! record. A cell that is empty, or a column that is not there, says nothing new.

use super::{ImportOptions, RowMistake, columns::Cells};
use crate::{
    catalogue::{Asset, AssetDetails},
    customers::{Customer, CustomerDetails, CustomerKind},
    ids::{CustomerId, ProductId},
    invalid::Invalid,
    money::{Currency, Minor},
    orders::{OrderDetails, OrderLineDetails, Quantity, SalesOrder},
    refusal::Refusal,
    text::{Code, Email, ExternalId, Line, Locale, Name, Phone, Sku},
    time::CivilDate,
};

/// A row of a file of orders: a sale of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// What the other system calls the order.
    pub external_id: ExternalId,
    /// What it calls the customer.
    pub customer_external_id: ExternalId,
    /// The day it was paid, if it was.
    pub paid_on: Option<CivilDate>,
    /// The product.
    pub sku: Option<Sku>,
    /// How many pieces.
    pub quantity: Quantity,
    /// What the customer pays for all pieces together.
    pub price_minor: Minor,
    /// What all pieces together cost the brand.
    pub cost_minor: Option<Minor>,
    /// The currency of both.
    pub currency: Currency,
}

impl OrderRow {
    /// Reads the row numbered `row`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its cells.
    pub fn read(row: u32, cells: &Cells) -> Result<Self, Vec<RowMistake>> {
        let mut reader = Reader::new(row, cells);
        let external_id = reader.required("order_external_id", str::parse);
        let customer_external_id = reader.required("customer_external_id", str::parse);
        let paid_on = reader.optional("paid_on", str::parse);
        let sku = reader.optional("sku", str::parse);
        let quantity = reader.required("quantity", str::parse);
        let price_minor = reader.required("price_minor", minor);
        let cost_minor = reader.optional("cost_minor", minor);
        let currency = reader.required("currency", str::parse);
        reader.finish(|| {
            Some(Self {
                external_id: external_id?,
                customer_external_id: customer_external_id?,
                paid_on,
                sku,
                quantity: quantity?,
                price_minor: price_minor?,
                cost_minor,
                currency: currency?,
            })
        })
    }

    /// The order that the row says, beside what is `known` of it.
    ///
    /// # Errors
    ///
    /// [`IMPORT_WITHOUT_DEALER`](super::IMPORT_WITHOUT_DEALER).
    pub fn details(
        self,
        options: &ImportOptions,
        customer_id: CustomerId,
        product_id: Option<ProductId>,
        known: Option<&SalesOrder>,
    ) -> Result<OrderDetails, Refusal> {
        let line = OrderLineDetails {
            product_id: product_id.or(options.product_id),
            quantity: self.quantity,
            price_minor: self.price_minor,
            cost_minor: self.cost_minor,
        };
        Ok(OrderDetails {
            source: options.source.clone(),
            external_id: Some(self.external_id),
            customer_id,
            dealer_id: options.dealer()?,
            site_id: options.site_id.or(known.and_then(|order| order.site_id)),
            asset_ids: known.map(|order| order.asset_ids.clone()).unwrap_or_default(),
            currency: self.currency,
            lines: vec![line],
            paid_on: self.paid_on,
        })
    }
}

/// A row of a file of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// What the other system calls the customer.
    pub external_id: ExternalId,
    /// What they are called.
    pub name: Name,
    /// A person or a company.
    pub kind: Option<CustomerKind>,
    /// The language they are spoken to in.
    pub locale: Option<Locale>,
    /// Where they are called.
    pub phone: Option<Phone>,
    /// Where they are written to.
    pub email: Option<Email>,
    /// The brand's own class of customer.
    pub tier: Option<Code>,
}

impl CustomerRow {
    /// Reads the row numbered `row`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its cells.
    pub fn read(row: u32, cells: &Cells) -> Result<Self, Vec<RowMistake>> {
        let mut reader = Reader::new(row, cells);
        let external_id = reader.required("customer_external_id", str::parse);
        let name = reader.required("name", str::parse);
        let kind = reader.optional("kind", customer_kind);
        let locale = reader.optional("locale", locale);
        let phone = reader.optional("phone", str::parse);
        let email = reader.optional("email", str::parse);
        let tier = reader.optional("tier", str::parse);
        reader.finish(|| {
            Some(Self { external_id: external_id?, name: name?, kind, locale, phone, email, tier })
        })
    }

    /// The customer that the row says, beside what is `known` of them.
    pub fn details(self, options: &ImportOptions, known: Option<&Customer>) -> CustomerDetails {
        let known = known.map_or_else(
            || {
                let source = options.source.clone();
                CustomerDetails::known_by(source, self.external_id, options.dealer_id)
            },
            |customer| customer.details.clone(),
        );
        CustomerDetails {
            dealer_id: options.dealer_id.or(known.dealer_id),
            name: self.name,
            kind: self.kind.unwrap_or(known.kind),
            locale: self.locale.or(known.locale),
            phone: self.phone.or(known.phone),
            email: self.email.or(known.email),
            tier: self.tier.or(known.tier),
            ..known
        }
    }
}

/// A row of a file of assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRow {
    /// What the other system calls the thing.
    pub external_id: ExternalId,
    /// What it calls the customer whose it is.
    pub customer_external_id: ExternalId,
    /// The product.
    pub sku: Option<Sku>,
    /// The serial number.
    pub serial: Option<Sku>,
    /// Where it stands.
    pub address: Option<Line>,
    /// The day it arrived.
    pub delivered_on: Option<CivilDate>,
}

impl AssetRow {
    /// Reads the row numbered `row`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its cells.
    pub fn read(row: u32, cells: &Cells) -> Result<Self, Vec<RowMistake>> {
        let mut reader = Reader::new(row, cells);
        let external_id = reader.required("asset_external_id", str::parse);
        let customer_external_id = reader.required("customer_external_id", str::parse);
        let sku = reader.optional("sku", str::parse);
        let serial = reader.optional("serial", str::parse);
        let address = reader.optional("address", str::parse);
        let delivered_on = reader.optional("delivered_on", str::parse);
        reader.finish(|| {
            Some(Self {
                external_id: external_id?,
                customer_external_id: customer_external_id?,
                sku,
                serial,
                address,
                delivered_on,
            })
        })
    }

    /// The asset that the row says, beside what is `known` of it.
    pub fn details(
        self,
        options: &ImportOptions,
        customer_id: CustomerId,
        product_id: ProductId,
        known: Option<&Asset>,
    ) -> AssetDetails {
        let known = known.map(|asset| &asset.details);
        AssetDetails {
            source: options.source.clone(),
            external_id: Some(self.external_id),
            customer_id,
            product_id,
            serial: self.serial.or_else(|| known?.serial.clone()),
            dealer_id: options.dealer_id.or_else(|| known?.dealer_id),
            site_id: options.site_id.or_else(|| known?.site_id),
            address: self.address.or_else(|| known?.address.clone()),
            delivered_on: self.delivered_on,
        }
    }
}

/// Reads the cells of one row and gathers everything that is wrong with them.
struct Reader<'a> {
    row: u32,
    cells: &'a Cells,
    mistakes: Vec<RowMistake>,
}

impl<'a> Reader<'a> {
    fn new(row: u32, cells: &'a Cells) -> Self {
        Self { row, cells, mistakes: Vec::new() }
    }

    fn required<T>(
        &mut self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        if self.cells.get(column).is_none() {
            self.note(
                column,
                Invalid::new("required", "expected a value").in_chinese("此处不能为空"),
            );
        }
        self.optional(column, parse)
    }

    fn optional<T>(
        &mut self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match parse(self.cells.get(column)?) {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.note(column, invalid);
                None
            }
        }
    }

    fn note(&mut self, column: &str, mistake: Invalid) {
        self.mistakes.push(RowMistake::in_column(self.row, column, mistake));
    }

    /// The row, if nothing is wrong with it. `build` finds every required value then.
    fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<RowMistake>> {
        match build() {
            Some(row) if self.mistakes.is_empty() => Ok(row),
            Some(_) | None => Err(self.mistakes),
        }
    }
}

fn minor(text: &str) -> Result<Minor, Invalid> {
    let amount = text.parse().map_err(|_| {
        Invalid::new("not_a_whole_number", "expected a whole number of minor units, such as 29900")
            .in_chinese("应为以最小货币单位计的整数，例如 29900")
    })?;
    Minor::new(amount)
}

fn customer_kind(text: &str) -> Result<CustomerKind, Invalid> {
    match text {
        "person" => Ok(CustomerKind::Person),
        "company" => Ok(CustomerKind::Company),
        _ => Err(Invalid::new("unknown_value", "expected person or company")
            .in_chinese("应为 person 或 company")
            .allowing(["person", "company"])),
    }
}

fn locale(text: &str) -> Result<Locale, Invalid> {
    match text {
        "zh-CN" => Ok(Locale::Chinese),
        "en" => Ok(Locale::English),
        _ => Err(Invalid::new("unknown_value", "expected zh-CN or en")
            .in_chinese("应为 zh-CN 或 en")
            .allowing(["zh-CN", "en"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{
        ImportKind,
        columns::{Column, ColumnNeed},
    };
    use serde_json::json;
    use uuid::Uuid;

    fn sale() -> [(&'static str, &'static str); 6] {
        [
            ("order_external_id", "cdnow-00001"),
            ("customer_external_id", "cdnow-00004"),
            ("paid_on", "1997-01-01"),
            ("quantity", "2"),
            ("price_minor", "2933"),
            ("currency", "USD"),
        ]
    }

    fn options(kind: &str) -> ImportOptions {
        let dealer_id = crate::ids::DealerId::from(Uuid::from_u128(1));
        let options = json!({ "kind": kind, "source": "cdnow", "dealer_id": dealer_id });
        serde_json::from_value(options).unwrap()
    }

    fn mistakes<T>(read: Result<T, Vec<RowMistake>>) -> Vec<(String, String)> {
        let errors = read.err().unwrap_or_default();
        errors.into_iter().map(|error| (error.column.unwrap(), error.code)).collect()
    }

    #[test]
    fn a_row_of_the_sample_is_a_paid_sale_of_one_line() {
        let row = OrderRow::read(1, &Cells::from(sale())).unwrap();
        let customer = Uuid::from_u128(2).into();
        let details = row.details(&options("orders"), customer, None, None).unwrap();
        let expected = json!({
            "source": "cdnow", "external_id": "cdnow-00001", "customer_id": customer,
            "dealer_id": options("orders").dealer_id, "site_id": null, "asset_ids": [],
            "currency": "USD", "paid_on": "1997-01-01",
            "lines": [{
                "product_id": null, "quantity": 2, "price_minor": 2_933, "cost_minor": null,
            }],
        });
        assert_eq!(json!(details), expected);
    }

    #[test]
    fn everything_wrong_with_a_row_is_told_at_once_with_its_column() {
        let mut cells = sale();
        cells[0].1 = " outer space";
        cells[2].1 = "1997-02-29";
        cells[3].1 = "0";
        cells[4].1 = "-5";
        cells[5].1 = "Taler";
        let expected = [
            ("order_external_id", "malformed"),
            ("paid_on", "invalid_date"),
            ("quantity", "quantity_out_of_range"),
            ("price_minor", "amount_out_of_range"),
            ("currency", "unknown_currency"),
        ];
        let expected: Vec<_> =
            expected.map(|(column, code)| (column.to_owned(), code.to_owned())).into();
        assert_eq!(mistakes(OrderRow::read(7, &Cells::from(cells))), expected);
    }

    #[test]
    fn an_empty_row_lacks_what_the_first_row_must_name() {
        let nothing = Cells::default();
        let found = [
            (ImportKind::Orders, mistakes(OrderRow::read(1, &nothing))),
            (ImportKind::Customers, mistakes(CustomerRow::read(1, &nothing))),
            (ImportKind::Assets, mistakes(AssetRow::read(1, &nothing))),
        ];
        for (kind, mistakes) in found {
            // A sale may be unpaid: the column must be there, the cell may be empty.
            let is_needed =
                |column: &&Column| column.need == ColumnNeed::Required && column.name != "paid_on";
            let needed: Vec<_> =
                kind.columns().iter().filter(is_needed).map(|column| column.name).collect();
            let lacking: Vec<_> = mistakes.iter().map(|(column, _)| column.as_str()).collect();
            assert_eq!(lacking, needed);
        }
    }

    #[test]
    fn an_empty_cell_says_nothing_new_about_a_known_customer() {
        let read = |cells| CustomerRow::read(1, &cells).unwrap();
        let full = read(Cells::from([
            ("customer_external_id", "c-1"),
            ("name", "李娜"),
            ("kind", "company"),
            ("locale", "en"),
            ("phone", "+8613800000000"),
            ("email", "li.na@example.com"),
            ("tier", "gold"),
        ]));
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let details = full.details(&options("customers"), None);
        let known = Customer::create(Uuid::from_u128(1).into(), details.clone(), now).record;
        let bare = Cells::from([("customer_external_id", "c-1"), ("name", "李娜")]);
        assert_eq!(read(bare).details(&options("customers"), Some(&known)), details);
    }

    #[test]
    fn an_asset_keeps_what_a_later_file_does_not_say() {
        let read = |cells| AssetRow::read(1, &cells).unwrap();
        let full = read(Cells::from([
            ("asset_external_id", "a-1"),
            ("customer_external_id", "c-1"),
            ("serial", "SN-1"),
            ("address", "Lakeside 1"),
            ("delivered_on", "2026-11-20"),
        ]));
        let (customer, product) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let details = full.details(&options("assets"), customer, product, None);
        let now = "2026-11-22T09:30:00Z".parse().unwrap();
        let known = Asset::create(Uuid::from_u128(3).into(), details, now).unwrap().record;
        let bare =
            read(Cells::from([("asset_external_id", "a-1"), ("customer_external_id", "c-1")]));
        let again = bare.details(&options("assets"), customer, product, Some(&known));
        let pushed = Asset::push(Some(known), Uuid::from_u128(4).into(), again, now).unwrap();
        assert_eq!(pushed.change(), None);
    }
}
