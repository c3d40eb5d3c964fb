//! Numbers of a plan, with the ranges that make sense for them.

use crate::number::whole_numbers;

whole_numbers! {
    /// Whole months of a rhythm. At most ten years: longer than what is sold is maintained.
    MonthCount = 1 to 120, "Whole months, 1 to 120.", 6;
    /// Days by which a visit may be early or late. At most a quarter.
    Leeway = 0 to 90, "Days by which a visit may be early or late, 0 to 90.", 7;
    /// Days before its window opens at which a visit is arranged. At least one, so that no customer
    /// hears of a visit on its day; at most two months, as far as calendars are filled.
    LeadDays = 1 to 60, "Days before its window opens at which a visit is arranged, 1 to 60.", 7;
    /// How long a visit takes. From a quarter of an hour to a working day.
    VisitMinutes = 15 to 480, "Minutes that a visit takes, 15 to 480.", 60;
}

impl Default for Leeway {
    /// A week.
    fn default() -> Self {
        Self(7)
    }
}

impl Default for LeadDays {
    /// A week.
    fn default() -> Self {
        Self(7)
    }
}

impl Default for VisitMinutes {
    /// An hour.
    fn default() -> Self {
        Self(60)
    }
}
