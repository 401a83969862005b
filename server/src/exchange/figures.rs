//! The figures of a year as files: each list as CSV, and all of it as a workbook with a sheet for each list, numbers as
//! numbers and days as days.

use jiff::civil::Date;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

use super::{sheet::Whole, write::Unwritable};
use crate::domain::{
    figures::{Figures, Line, ListName, Model, Reason, said},
    import::cells::guarded,
    language::Language,
    wording::{Said, plain_euros},
};

/// One value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number.
    Number(u64),
    /// An amount in cents.
    Cents(u64),
    /// A day.
    Day(Date),
    /// Nothing.
    Empty,
}

impl Cell {
    fn optional(text: Option<&String>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.clone()))
    }

    /// As a CSV file and a page hold it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Cents(cents) => plain_euros(*cents),
            Self::Day(day) => day.to_string(),
            Self::Empty => String::new(),
        }
    }
}

/// What stands above the columns of a list.
#[must_use]
pub fn headings(name: ListName, language: Language) -> Vec<String> {
    let mut headings = vec![
        ("Étiquette", "Label"),
        ("Numéro de série", "Serial number"),
        ("Modèle", "Model"),
        ("Type", "Kind"),
        ("Jour", "Day"),
        ("Événement", "Event"),
        ("Réformé le", "Reformed on"),
        ("Acheté au plus tôt le", "Bought on at the earliest"),
        ("Acheté au plus tard le", "Bought on at the latest"),
        ("Âge", "Age"),
    ];
    if name.leaves_out() {
        headings.push(("Motif", "Reason"));
    }
    if name == ListName::Orders {
        headings.extend([
            ("Minutes d'atelier", "Minutes on the bench"),
            ("Passages plafonnés", "Visits capped"),
            ("Pièces (€)", "Parts (€)"),
            ("Atelier (€)", "Bench (€)"),
            ("Coût (€)", "Cost (€)"),
        ]);
    }
    headings.into_iter().map(|(fr, en)| Said::new(fr, en).in_language(language).to_owned()).collect()
}

/// A unit of a list.
#[must_use]
pub fn row(name: ListName, line: &Line, language: Language) -> Vec<Cell> {
    let say = |said: Said| Cell::Text(said.in_language(language).to_owned());
    let mut cells = vec![
        Cell::optional(line.unit.asset_tag.as_ref()),
        Cell::optional(line.unit.serial.as_ref()),
        Cell::optional(line.unit.model.as_ref()),
        say(said::kind(line.unit.kind)),
        Cell::Day(line.day),
        say(line.event.said()),
        line.reformed.map_or(Cell::Empty, Cell::Day),
        line.born.earliest.map_or(Cell::Empty, Cell::Day),
        Cell::Day(line.born.latest),
        say(line.age.said()),
    ];
    if name.leaves_out() {
        cells.push(line.reason.map(Reason::said).map_or(Cell::Empty, say));
    }
    if name == ListName::Orders {
        let work = line.work.unwrap_or_default();
        cells.extend([
            Cell::Number(work.minutes),
            Cell::Number(work.capped),
            Cell::Cents(work.parts_cents),
            Cell::Cents(work.bench_cents),
            Cell::Cents(work.cents()),
        ]);
    }
    cells
}

/// The units behind a number, on their way into a file.
#[must_use]
pub fn sheet(figures: &Figures, name: ListName, language: Language) -> Whole {
    let cells = |line| row(name, line, language).iter().map(Cell::text).collect();
    Whole { headings: headings(name, language), rows: figures.list(name).iter().map(cells).collect() }
}

/// A workbook being written.
struct Book {
    file: Workbook,
    language: Language,
    bold: Format,
    day: Format,
    money: Format,
    number: Format,
    wrapped: Format,
}

/// Width of a column in characters.
const COLUMN_WIDTH: f64 = 20.0;
/// Width of the sentences.
const SENTENCE_WIDTH: f64 = 110.0;

/// The year's report as a workbook, counted on `today`.
pub fn workbook(figures: &Figures, language: Language, today: Date) -> Result<Vec<u8>, Unwritable> {
    let mut book = Book {
        file: Workbook::new(),
        language,
        bold: Format::new().set_bold(),
        day: Format::new().set_num_format("yyyy-mm-dd"),
        money: Format::new().set_num_format("#,##0.00"),
        number: Format::new().set_num_format("#,##0"),
        wrapped: Format::new().set_text_wrap(),
    };
    book.summary(figures, today)?;
    book.models(figures)?;
    for name in ListName::ALL {
        book.list(figures, *name)?;
    }
    Ok(book.file.save_to_buffer()?)
}

impl Book {
    fn say(&self, fr: &str, en: &str) -> String {
        Said::new(fr, en).in_language(self.language).to_owned()
    }

    fn sheet(&mut self, name: &str, headings: &[String]) -> Result<&mut Worksheet, Unwritable> {
        let bold = self.bold.clone();
        let sheet = self.file.add_worksheet().set_name(name)?;
        for (column, heading) in (0..).zip(headings) {
            sheet.set_column_width(column, COLUMN_WIDTH)?;
            sheet.write_string_with_format(0, column, heading, &bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(sheet)
    }

    /// A row of cells.
    fn row(&mut self, name: &str, place: u32, cells: &[Cell]) -> Result<(), Unwritable> {
        let (day, money, number) = (self.day.clone(), self.money.clone(), self.number.clone());
        let sheet = self.file.worksheet_from_name(name)?;
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => sheet.write_string(place, column, guarded(text).as_ref())?,
                #[expect(clippy::cast_precision_loss, reason = "counts and cents of a year are far below 2^53")]
                Cell::Number(value) => sheet.write_number_with_format(place, column, *value as f64, &number)?,
                #[expect(clippy::cast_precision_loss, reason = "counts and cents of a year are far below 2^53")]
                Cell::Cents(cents) => sheet.write_number_with_format(place, column, *cents as f64 / 100.0, &money)?,
                Cell::Day(date) => {
                    let part = |value: i8| u8::try_from(value).unwrap_or(1);
                    let year = u16::try_from(date.year()).unwrap_or(1900).max(1900);
                    let date = ExcelDateTime::from_ymd(year, part(date.month()), part(date.day()))?;
                    sheet.write_datetime_with_format(place, column, &date, &day)?
                }
                Cell::Empty => continue,
            };
        }
        Ok(())
    }

    /// The numbers, each with its sentence.
    fn summary(&mut self, figures: &Figures, today: Date) -> Result<(), Unwritable> {
        let name = self.say("Chiffres", "Figures");
        let headings = [
            self.say("Chiffre", "Figure"),
            self.say("Valeur", "Value"),
            self.say("Comment il est compté", "How it is counted"),
        ];
        self.sheet(&name, &headings)?.set_column_width(2, SENTENCE_WIDTH)?;
        let mut place = 1;
        for (title, value, said) in summary(figures) {
            let (title, said) =
                (title.in_language(self.language).to_owned(), said.in_language(self.language).to_owned());
            self.row(&name, place, &[Cell::Text(title), value])?;
            let wrapped = self.wrapped.clone();
            let sheet = self.file.worksheet_from_name(&name)?;
            sheet.write_string_with_format(place, 2, guarded(&said).as_ref(), &wrapped)?;
            place += 1;
        }
        let mut notes: Vec<Said> = vec![said::standing(figures.year, today)];
        notes.extend(figures.factors_said());
        notes.extend(said::limits());
        notes.push(Said::new(
            format!("Empreinte des chiffres : {}", figures.fingerprint()),
            format!("Fingerprint of the figures: {}", figures.fingerprint()),
        ));
        for note in notes {
            let wrapped = self.wrapped.clone();
            let text = note.in_language(self.language).to_owned();
            self.file.worksheet_from_name(&name)?.write_string_with_format(place, 2, &text, &wrapped)?;
            place += 1;
        }
        self.file.worksheet_from_name(&name)?.set_column_width(0, 44)?;
        Ok(())
    }

    fn models(&mut self, figures: &Figures) -> Result<(), Unwritable> {
        let name = self.say("Modèles", "Models");
        let headings = [
            ("Modèle", "Model"),
            ("Ordres", "Orders"),
            ("À reprêter", "To lend again"),
            ("À donner", "To donate"),
            ("Pour pièces", "For parts"),
            ("À recycler", "To recycle"),
            ("Rendement (‰)", "Yield (‰)"),
            ("Coût (€)", "Cost (€)"),
            ("Coût par appareil remis en état (€)", "Cost of each that is ready (€)"),
        ]
        .map(|(fr, en)| self.say(fr, en));
        self.sheet(&name, &headings)?;
        for (place, model) in (1..).zip(&figures.workshop.models) {
            self.row(&name, place, &model_cells(model))?;
        }
        Ok(())
    }

    fn list(&mut self, figures: &Figures, name: ListName) -> Result<(), Unwritable> {
        let sheet = name.sheet().in_language(self.language).to_owned();
        self.sheet(&sheet, &headings(name, self.language))?;
        for (place, line) in (1..).zip(figures.list(name)) {
            self.row(&sheet, place, &row(name, line, self.language))?;
        }
        Ok(())
    }
}

fn model_cells(model: &Model) -> Vec<Cell> {
    vec![
        Cell::optional(model.name.as_ref()),
        Cell::Number(model.orders()),
        Cell::Number(model.relend),
        Cell::Number(model.donate),
        Cell::Number(model.parts),
        Cell::Number(model.recycle),
        model.yield_per_mille().map_or(Cell::Empty, Cell::Number),
        Cell::Cents(model.cents),
        model.cents_per_ready().map_or(Cell::Empty, Cell::Cents),
    ]
}

/// Every number of the first sheet.
fn summary(figures: &Figures) -> Vec<(Said, Cell, Said)> {
    let mut rows = vec![(
        Said::new("Part de réemploi A/B (‰)", "Share of reuse A/B (‰)"),
        figures.reuse.per_mille().map_or(Cell::Empty, Cell::Number),
        figures.reuse_said(),
    )];
    rows.extend(
        ListName::ALL.iter().map(|name| (name.title(), Cell::Number(figures.list(*name).len() as u64), name.means())),
    );
    rows.push((
        Said::new("Âge médian à la réforme (mois)", "Median age at reform (months)"),
        figures.ages.median().and_then(|months| u64::try_from(months).ok()).map_or(Cell::Empty, Cell::Number),
        figures.ages_said(),
    ));
    let (given, lent) = (figures.impact.saved_given, figures.impact.saved_lent_again);
    for (saved, title, said) in [
        (given, ("donnés", "given"), figures.given_said()),
        (lent, ("reprêtés", "lent again"), figures.lent_again_said()),
    ] {
        for (grams, what) in [
            (saved.co2_grams, ("CO2e évité", "CO2e avoided")),
            (saved.material_grams, ("Matières évitées", "Materials avoided")),
            (saved.waste_grams, ("Déchets évités", "Waste avoided")),
        ] {
            let title = Said::new(format!("{}, {} (g)", what.0, title.0), format!("{}, {} (g)", what.1, title.1));
            rows.push((title, Cell::Number(grams), said.clone()));
        }
    }
    rows.push((
        Said::new("Coût par appareil remis en état (€)", "Cost of each device that is ready (€)"),
        figures.workshop.all.cents_per_ready().map_or(Cell::Empty, Cell::Cents),
        figures.cost_said(),
    ));
    rows.push((
        Said::new("Rendement de l'atelier (‰)", "Yield of the workshop (‰)"),
        figures.workshop.all.yield_per_mille().map_or(Cell::Empty, Cell::Number),
        figures.yield_said(),
    ));
    rows
}
