# Établissements.

nav-sites = Établissements
sites-title = Établissements
sites-none = Aucun établissement.
sites-caption = Établissements, par nom
site-name = Nom
site-commune = Commune
site-zone = Zone scolaire
site-zone-named = Zone { $value }
site-uai = Code UAI
site-uai-hint = Sept chiffres et une lettre, vérifiée
site-new = Nouvel établissement
site-create = Créer
site-change = Modifier
site-referents = Référents
site-referents-explained = Ils répondent des prêts de l’établissement et reçoivent ses récapitulatifs.
site-referents-none = Aucun référent : personne ne reçoit les récapitulatifs.
site-referent-name = Nom
site-referent-email = Courriel
site-referent-language = Langue
site-referent-add = Ajouter un référent
site-referent-end = Retirer
site-problem-uai = Un code UAI a sept chiffres et une lettre.
site-problem-letter = La lettre de ces chiffres est { $value } : un chiffre ou la lettre est mal tapé.
site-problem-name = Donnez un nom et une commune, de 120 caractères au plus.
site-problem-zone = Choisissez une zone.
site-problem-taken = Un établissement porte déjà ce code.
site-problem-referent-name = Donnez un nom de 1 à 120 caractères.
site-problem-referent-taken = Cette adresse est déjà celle d’un référent.
sites-found = { $count ->
    [one] { $count } établissement
   *[other] { $count } établissements
}
