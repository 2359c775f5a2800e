//! The program in focus → the name of a profile. What a profile means is for others to say.

/// A list of programs, each with the profile for it; the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiles {
    /// Pattern, in small letters, and profile.
    rules: Vec<(String, String)>,
    default: String,
}

impl Profiles {
    /// Takes pairs of a pattern and a profile. A pattern is the `app_id` of a program, in any case,
    /// or has `*` for any number of signs: `org.gnome.*`. `default` is for all others.
    pub fn new<P: AsRef<str>, N: Into<String>>(
        rules: impl IntoIterator<Item = (P, N)>,
        default: impl Into<String>,
    ) -> Self {
        let rule = |(pattern, profile): (P, N)| (pattern.as_ref().to_lowercase(), profile.into());
        Self { rules: rules.into_iter().map(rule).collect(), default: default.into() }
    }

    /// The profile for a program; the default one where the desktop does not tell which it is.
    pub fn choose(&self, app_id: Option<&str>) -> &str {
        let Some(app_id) = app_id.map(str::to_lowercase) else { return &self.default };
        let fitting = self.rules.iter().find(|(pattern, _)| fits(pattern, &app_id));
        fitting.map_or(&self.default, |(_, profile)| profile)
    }
}

/// Whether `text` is `pattern`, in which each `*` stands for any signs. Takes at most the product
/// of both lengths.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_fits_counts() {
        let rules = [
            ("org.gnome.Terminal", "terminal"),
            ("org.gnome.*", "gnome"),
            ("*term*", "terminal"),
            ("*", "all"),
        ];
        let profiles = Profiles::new(rules, "default");
        assert_eq!(profiles.choose(Some("org.gnome.Terminal")), "terminal");
        assert_eq!(profiles.choose(Some("org.gnome.TextEditor")), "gnome");
        assert_eq!(profiles.choose(Some("XTerm")), "terminal");
        assert_eq!(profiles.choose(Some("firefox")), "all");
        assert_eq!(profiles.choose(None), "default");
        assert_eq!(Profiles::new([("a", "b")], "c").choose(Some("x")), "c");
    }

    #[test]
    fn a_star_stands_for_any_signs() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "anything"),
            ("a*", "a"),
            ("*b", "aab"),
            ("a*b*c", "a.b.b.c"),
            ("a**c", "abc"),
            ("*é*", "café.app"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "ab"),
            ("a*b", "ba"),
            ("ab*ba", "aba"),
            ("a*b*c", "ac"),
            ("*b*b*", "ab"),
            ("a.c", "abc"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let pattern = "a*".repeat(2_000) + "b";
        assert!(!fits(&pattern, &"a".repeat(100_000)));
    }
}
