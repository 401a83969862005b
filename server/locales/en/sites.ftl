# Sites.

nav-sites = Sites
sites-title = Sites
sites-none = No site.
sites-caption = Sites, by name
site-name = Name
site-commune = Town
site-zone = School zone
site-zone-named = Zone { $value }
site-uai = UAI code
site-uai-hint = Seven digits and a letter, which is checked
site-new = New site
site-create = Create
site-change = Change
site-referents = Referents
site-referents-explained = They answer for the site’s loans and receive its digests.
site-referents-none = No referent: nobody receives the digests.
site-referent-name = Name
site-referent-email = E-mail
site-referent-language = Language
site-referent-add = Add a referent
site-referent-end = Remove
site-problem-uai = A UAI code has seven digits and a letter.
site-problem-letter = The letter of these digits is { $value }: a digit or the letter is mistyped.
site-problem-name = Give a name and a town, of 120 characters at most.
site-problem-zone = Choose a zone.
site-problem-taken = A site has this code already.
site-problem-referent-name = Give a name of 1 to 120 characters.
site-problem-referent-taken = A referent has this address already.
sites-found = { $count ->
    [one] { $count } site
   *[other] { $count } sites
}
