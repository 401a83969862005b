# Courriels, tâches et webhooks.

notices-title = Courriels
notices-intro = Un courriel par destinataire et par envoi. Les adresses ne sont pas conservées ici.
notices-waiting = { $count ->
    [one] { $count } avis attend.
   *[other] { $count } avis attendent.
}
notices-states = État des courriels
notices-counted = { $one } ({ $two })
notices-none = Aucun courriel dans cet état.
notices-caption = Courriels, du plus récent au plus ancien
notices-recipient = Destinataire
notices-nobody = Inconnu
notices-state = État
notices-count = Avis
notices-made = Créé
notices-error = Dernier incident

message-waiting = En attente
message-sending = Envoi sans réponse
message-sent = Envoyé
message-failed = Échec
message-bounced = Revenu
message-cancelled = Sans objet

recipient-borrower = Bénéficiaire
recipient-referent = Référent
recipient-person = Personne

notice-loan_due = Retour à prévoir
notice-campaign = Campagne de restitution
notice-handed_over = Remise
notice-returned = Restitution
notice-unreachable = Famille à prévenir

notice-no-address = Aucune adresse e-mail n’est connue : complétez la fiche, puis renvoyez.
notice-malformed-address = L’adresse e-mail n’est pas valable : corrigez-la sur la fiche, puis renvoyez.
dropped-loan_ended = Le prêt a pris fin
dropped-due_changed = La date a changé
dropped-superseded = Remplacé par un rappel plus récent
dropped-expired = Trop tard
dropped-recipient_gone = Destinataire parti
dropped-not_expected = La campagne ne l’attend plus

message-title = Courriel
message-about = De quoi il parle
message-device = Appareil
message-reason = Raison
message-due = À rendre le
message-left-out = Retiré
message-way = Acheminement
message-attempts = Essais
message-next = Prochain essai
message-finished = Terminé
message-bounce = Ce courriel est revenu ?
message-bounce-reason = Raison
message-bounce-hint = sans adresse
message-bounce-send = Noter le retour
message-again = Envoyer de nouveau
message-again-what = L’adresse a été corrigée ? Le courriel repart avec ce qui est encore vrai.
message-again-send = Envoyer de nouveau

jobs-title = Tâches
jobs-job = Tâche
jobs-begun = Dernier début
jobs-succeeded = Dernière réussite
job-flag_sweep = Signalements
job-history_months = Historique mensuel
job-retention = Effacement
job-identity_erasure = Oubli des bénéficiaires
job-notices = Courriels
job-webhooks = Webhooks
job-well = Tourne
job-missed = Manquante
job-never = Jamais lancée
jobs-alarm = Une tâche ne tourne plus ou échoue : des courriels peuvent ne pas partir.
jobs-alarm-see = Voir les tâches

webhooks-title = Webhooks
webhooks-none = Aucun autre système n’est informé.
webhooks-target = Destination
webhooks-events = Événements
webhooks-waiting = En attente
webhooks-given-up = Abandonnés
webhook-told = Informé
webhook-failing = Événements abandonnés
webhook-disabled = Arrêté
webhook-all-events = Tous
