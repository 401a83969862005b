# Exports.

exports-title = Exports
exports-intro = Each list, as you may see it. No cell can become a formula.
exports-caption = Lists to export
exports-list = List
exports-files = Files
exports-csv-semicolon = CSV for French Excel
exports-csv = CSV
exports-xlsx = Excel workbook
export-devices = Devices
export-loans = Loans
export-borrowers = Borrowers
export-sites = Sites
export-programmes = Programmes
export-flags = Flags
export-snipe-it = Devices for Snipe-IT
export-glpi = Devices for GLPI
export-hint-devices = Can be imported again as it is
export-hint-loans = Can be imported again as it is
export-hint-borrowers = By reference: never who they are
export-hint-sites = Can be imported again as it is
export-hint-programmes = Codes, kinds and terms
export-hint-flags = To handle, with their explanation
export-hint-snipe-it = Its importer knows the columns; a lent device is checked out to a location
export-hint-glpi = For the data injection plugin
