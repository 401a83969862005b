# Les versions de l'agent, et jusqu'où chacune est proposée.

nav-releases = Versions de l’agent
releases-title = Versions de l’agent
releases-explained = Jusqu’où chaque version est proposée aux ordinateurs Windows, qui se mettent à jour eux-mêmes. Ceux sous Linux la reçoivent de leur gestionnaire de paquets. Les paquets sont reçus, signés et publiés à la ligne de commande.
releases-published = La liste publiée est valable jusqu’au { $value }.
releases-unpublished = Rien n’est publié.
releases-none = Aucune version n’a été reçue.
releases-caption = Versions de l’agent, la plus récente d’abord
release-version = Version
release-share = Part des appareils
release-sites = Établissements servis en entier
release-state = État
release-offered = Proposée
release-waits = En attente
release-halted = Arrêtée
release-percent = Part en pour cent
release-percent-needed = La part est un nombre entier de 0 à 100.
release-stage = Proposer
release-halt = Arrêter
