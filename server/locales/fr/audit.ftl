# Journal.

audit-title = Journal
audit-intro = Chaque changement fait par une personne ou une tâche. Les lignes sont enchaînées par empreintes : « cartable-server audit verify » le contrôle.
audit-none = Le journal est vide.
audit-caption = Actes, du plus récent au plus ancien
audit-seq = N°
audit-actor = Qui
audit-action = Acte
audit-object = Objet
audit-details = Détails
