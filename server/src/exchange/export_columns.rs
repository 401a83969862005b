//! What stands above the columns of the exports, in French and in English; those that an import takes back are
//! named by its fields.

pub(super) const EXTRA_DEVICE: [(&str, &str); 6] = [
    ("Nom de l’établissement", "Site name"),
    ("Statut d’enrôlement", "Enrolment status"),
    ("Nombre de signalements", "Number of flags"),
    ("Signalements", "Flags"),
    ("Dernier contact", "Last contact"),
    ("Référence interne", "Internal id"),
];
pub(super) const EXTRA_LOAN: [(&str, &str); 6] = [
    ("Modèle", "Model"),
    ("Nature du bénéficiaire", "Kind of borrower"),
    ("Nom de l’institution", "Name of the institution"),
    ("Nom de l’établissement", "Site name"),
    ("Réservé le", "Reserved on"),
    ("Accessoires manquants", "Missing accessories"),
];
pub(super) const EXTRA_NEED: [(&str, &str); 4] = [
    ("Nom de l’établissement", "Site name"),
    ("État du besoin", "What became of it"),
    ("Saisi le", "Entered on"),
    ("Saisi par", "Entered by"),
];
pub(super) const NOTICE: [(&str, &str); 10] = [
    ("Destinataire", "Recipient"),
    ("Nature", "Kind of recipient"),
    ("Nom de l’établissement", "Site name"),
    ("État", "State"),
    ("Nombre d’avis", "Notices"),
    ("Préparé le", "Made on"),
    ("Fini le", "Finished on"),
    ("Essais", "Attempts"),
    ("Erreur", "Error"),
    ("Message-ID", "Message-ID"),
];
pub(super) const PROGRAMME: [(&str, &str); 11] = [
    ("Code", "Code"),
    ("Nom", "Name"),
    ("Genre", "Kind"),
    ("Durée", "Term"),
    ("Renouvellements", "Renewals"),
    ("Propriétaire", "Owner"),
    ("Ouvert", "Open"),
    ("Accessoires", "Accessories"),
    ("Jours de rappel", "Notice days"),
    ("Rôles qui voient les membres", "Roles that see members"),
    ("Modèle de convention", "Agreement template"),
];
pub(super) const FLAG: [(&str, &str); 9] = [
    ("Numéro de série", "Serial number"),
    ("Étiquette", "Asset tag"),
    ("Modèle", "Model"),
    ("Nom de l’établissement", "Site name"),
    ("Signalement", "Flag"),
    ("Gravité", "Severity"),
    ("Depuis", "Since"),
    ("Valeur", "Value"),
    ("Explication", "Explanation"),
];
pub(super) const TOKEN: [(&str, &str); 10] = [
    ("Libellé", "Label"),
    ("Code UAI", "UAI code"),
    ("Nom de l’établissement", "Site name"),
    ("Dispositif", "Programme"),
    ("État", "State"),
    ("Appareils admis", "Devices let in"),
    ("Au plus", "At most"),
    ("Créé le", "Made on"),
    ("Expire le", "Expires on"),
    ("Créé par", "Made by"),
];
pub(super) const ALLOCATION: [(&str, &str); 10] = [
    ("Proposé le", "Proposed on"),
    ("Proposé par", "Proposed by"),
    ("Dispositif", "Programme"),
    ("État", "State"),
    ("Besoins", "Needs"),
    ("Appareils proposés", "Devices proposed"),
    ("Ajusté par", "Adjusted by"),
    ("Décidé par", "Decided by"),
    ("Décidé le", "Decided on"),
    ("Référence interne", "Internal id"),
];
pub(super) const CAMPAIGN: [(&str, &str); 8] = [
    ("Nom", "Name"),
    ("État", "State"),
    ("Premier jour", "First day"),
    ("Dernier jour", "Last day"),
    ("Guichets par établissement", "Desks per site"),
    ("Rendez-vous par jour et guichet", "Slots per day and desk"),
    ("Créée par", "Planned by"),
    ("Créée le", "Planned on"),
];
pub(super) const IMPORT: [(&str, &str); 11] = [
    ("Fichier", "File"),
    ("Liste", "List"),
    ("État", "State"),
    ("Lignes", "Rows"),
    ("Nouvelles", "New"),
    ("Modifiées", "Changed"),
    ("Identiques", "Same"),
    ("Rejetées", "Refused"),
    ("Apporté par", "Brought by"),
    ("Apporté le", "Brought on"),
    ("Terminé le", "Finished on"),
];
pub(super) const AUDIT: [(&str, &str); 7] = [
    ("Rang", "Place"),
    ("Moment (UTC)", "Moment (UTC)"),
    ("Auteur", "Actor"),
    ("Acte", "Act"),
    ("Nature de l’objet", "Kind of object"),
    ("Objet", "Object"),
    ("Détails", "Details"),
];
pub(super) const DISPOSITION: [(&str, &str); 16] = [
    ("Numéro de série", "Serial number"),
    ("Étiquette", "Asset tag"),
    ("Fabricant", "Manufacturer"),
    ("Modèle", "Model"),
    ("Dispositif", "Programme"),
    ("UAI", "UAI"),
    ("Nom de l’établissement", "Site name"),
    ("Situation", "Lending state"),
    ("Grade", "Grade"),
    ("Orientation", "Disposition"),
    ("Confiance", "Confidence"),
    ("Coût (€)", "Cost (€)"),
    ("Valeur (€)", "Value (€)"),
    ("Mois d’usage restants", "Months left"),
    ("Date du relevé", "Date of the evidence"),
    ("Version de la politique", "Policy version"),
];
/// As Snipe-IT's importer maps by itself. Without a user: its importer would create an account for every name.
pub(super) const SNIPE_IT: [&str; 10] = [
    "Item Name",
    "Asset Tag",
    "Serial",
    "Model Name",
    "Manufacturer",
    "Category",
    "Status",
    "Location",
    "Checkout Type",
    "Checked Out To: Location",
];
/// As GLPI names the fields of computers, for a model of its data injection plugin.
pub(super) const GLPI: [(&str, &str); 8] = [
    ("Nom", "Name"),
    ("Numéro de série", "Serial number"),
    ("Numéro d’inventaire", "Inventory number"),
    ("Fabricant", "Manufacturer"),
    ("Modèle", "Model"),
    ("Type", "Type"),
    ("Statut", "Status"),
    ("Lieu", "Location"),
];
