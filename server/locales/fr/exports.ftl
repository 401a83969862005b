# Exports.

exports-title = Exports
exports-intro = Chaque liste, telle que vous avez le droit de la voir. Aucune cellule ne peut devenir une formule.
exports-caption = Listes à exporter
exports-list = Liste
exports-files = Fichiers
exports-csv-semicolon = CSV pour Excel
exports-csv = CSV
exports-xlsx = Classeur Excel
export-devices = Appareils
export-loans = Prêts
export-borrowers = Bénéficiaires
export-sites = Établissements
export-programmes = Dispositifs
export-flags = Signalements
export-snipe-it = Appareils pour Snipe-IT
export-glpi = Appareils pour GLPI
export-hint-devices = Se réimporte tel quel
export-hint-loans = Se réimporte tel quel
export-hint-borrowers = Par référence : jamais qui ils sont
export-hint-sites = Se réimporte tel quel
export-hint-programmes = Codes, genres et durées
export-hint-flags = À traiter, avec leur explication
export-hint-snipe-it = Son outil d’import en reconnaît les colonnes ; un appareil prêté y est remis à un lieu
export-hint-glpi = Pour le greffon d’injection de données
