//! Words that are likely to be said: their tokens are preferred where they could stand.
//!
//! A trie holds the tokens of each word. While the end of the text spells the beginning of a word,
//! the tokens that go on with it get a bonus on their score, the larger the further the word has
//! come. All follows from the tokens before, so that a draft is verified exactly; and nothing is
//! put in front of the model, which would answer silence with it.
//!
//! Source: shallow fusion with a subword trie, as in D. Zhao et al., "Shallow-fusion end-to-end
//! contextual biasing", Interspeech 2019; the bonus grows with the depth.

use crate::tokenizer::Tokenizer;

/// Where the trie is entered behind anything: the words with a space in front.
const ANYWHERE: usize = 0;
/// Where it is entered at the beginning of a text: the words as they stand.
const BEGINNING: usize = 1;
/// Scripts from here on are written without spaces: Thai, Lao, Burmese, Chinese, Japanese.
const WITHOUT_SPACES: std::ops::RangeInclusive<char> = '\u{e00}'..='\u{109f}';
/// The same for the signs of East Asia.
const IDEOGRAMS: char = '\u{2e80}';

/// A trie over the tokens of all words.
#[derive(Default)]
pub(super) struct Hotwords {
    nodes: Vec<Node>,
    /// Tokens of the longest word.
    depth: usize,
    /// What is added to the score of a word's first token.
    boost: f32,
    /// Tokens from here on are no text.
    eot: u32,
}

#[derive(Default)]
struct Node {
    /// Whether a single letter leads here: as the beginning of a word that says too little. "O" is
    /// more often part of another word than of "O'Sullivan".
    is_letter: bool,
    /// The tokens that go on, each with its node.
    next: Vec<(u32, usize)>,
}

impl Hotwords {
    /// Takes each word as it is written and with a capital in front, with a space before it and,
    /// for the beginning of a text, without.
    pub(super) fn new(tokenizer: &Tokenizer, words: &[String], boost: f32) -> Self {
        let mut trie = Self { eot: tokenizer.eot, boost, ..Self::default() };
        trie.nodes.resize_with(2, Node::default);
        for word in words {
            let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
            if word.is_empty() {
                continue;
            }
            for form in [capitalized(&word), word] {
                let bare = tokenizer.encode(&form);
                trie.insert(tokenizer, ANYWHERE, &tokenizer.encode(&format!(" {form}")));
                trie.insert(tokenizer, BEGINNING, &bare);
                if form.starts_with(stands_without_space) {
                    trie.insert(tokenizer, ANYWHERE, &bare);
                }
            }
        }
        trie
    }

    fn insert(&mut self, tokenizer: &Tokenizer, root: usize, tokens: &[u32]) {
        let mut at = root;
        for &token in tokens {
            at = self.child(at, token).unwrap_or_else(|| {
                let new = self.nodes.len();
                let text = tokenizer.decode(&[token]);
                let is_letter = text.trim().len() == 1;
                self.nodes.push(Node { is_letter, next: Vec::new() });
                self.nodes[at].next.push((token, new));
                new
            });
        }
        self.depth = self.depth.max(tokens.len());
    }

    fn child(&self, at: usize, token: u32) -> Option<usize> {
        let next = self.nodes.get(at)?.next.iter();
        next.into_iter().find(|(known, _)| *known == token).map(|&(_, node)| node)
    }

    /// Whether there are no words.
    pub(super) fn is_empty(&self) -> bool {
        self.depth == 0
    }

    /// The tokens that would go on with a word behind `text`, with the bonus of each: `boost` times
    /// one more than the logarithm of the token's place in the word. A single letter gets none as the
    /// first of a word. Sorted; each token once.
    pub(super) fn bonuses(&self, text: &[u32]) -> Vec<(u32, f32)> {
        let mut bonuses: Vec<(u32, f32)> = Vec::new();
        if self.depth == 0 {
            return bonuses;
        }
        for begin in text.len().saturating_sub(self.depth)..=text.len() {
            let is_beginning = begin == 0 || text[begin - 1] >= self.eot;
            let roots = [Some(ANYWHERE), is_beginning.then_some(BEGINNING)];
            let walk =
                |root| text[begin..].iter().try_fold(root, |at, &token| self.child(at, token));
            for node in roots.into_iter().flatten().filter_map(walk) {
                let place = text.len() - begin + 1;
                let bonus = self.boost * (1.0 + (place as f32).ln());
                let says_enough = |node: usize| place > 1 || !self.nodes[node].is_letter;
                let next = self.nodes[node].next.iter().filter(|&&(_, node)| says_enough(node));
                bonuses.extend(next.map(|&(token, _)| (token, bonus)));
            }
        }
        // Of several the largest.
        bonuses.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        bonuses.dedup_by_key(|bonus| bonus.0);
        bonuses
    }
}

/// The word with its first letter as a capital.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn stands_without_space(letter: char) -> bool {
    WITHOUT_SPACES.contains(&letter) || letter >= IDEOGRAMS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelDimensions;

    fn tokenizer() -> Tokenizer {
        let dims = ModelDimensions { n_vocab: 51_865, ..crate::random::DIMS };
        Tokenizer::for_dims(&dims).unwrap()
    }

    fn hotwords(words: &[&str]) -> Hotwords {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Hotwords::new(&tokenizer(), &words, 2.0)
    }

    /// The tokens with a bonus behind `text`, in words.
    fn preferred(trie: &Hotwords, text: &[u32]) -> Vec<String> {
        let bonuses = trie.bonuses(text).into_iter();
        let mut words: Vec<_> = bonuses.map(|(token, _)| tokenizer().decode(&[token])).collect();
        words.sort();
        words
    }

    #[test]
    fn a_word_is_preferred_token_by_token_the_more_the_further_it_has_come() {
        let trie = hotwords(&["Grothendieck"]);
        let tokens = tokenizer().encode(" Grothendieck");
        assert!(tokens.len() > 2, "{tokens:?}");
        let said = tokenizer().encode(" As shown by");
        for n in 0..tokens.len() {
            let text = [&said[..], &tokens[..n]].concat();
            let bonuses = trie.bonuses(&text);
            let expected = 2.0 * (1.0 + (n as f32 + 1.0).ln());
            assert!(bonuses.contains(&(tokens[n], expected)), "token {n}: {bonuses:?}");
        }
        let whole = [said, tokens].concat();
        assert_eq!(trie.bonuses(&whole), trie.bonuses(&[11]));
    }

    #[test]
    fn a_bare_word_is_preferred_at_the_beginning_of_a_text_alone() {
        let trie = hotwords(&["cat"]);
        assert_eq!(preferred(&trie, &[]), firsts(&[" Cat", " cat", "Cat", "cat"]));
        assert_eq!(preferred(&trie, &[50_364]), preferred(&trie, &[]));
        // No "cat" in the middle of "concatenate".
        assert_eq!(preferred(&trie, &tokenizer().encode(" con")), firsts(&[" Cat", " cat"]));
        assert_ne!(firsts(&["Cat", "cat"]), firsts(&[]));
    }

    /// The first tokens of some texts, in words; no single letters.
    fn firsts(texts: &[&str]) -> Vec<String> {
        let first = |text: &&str| tokenizer().decode(&tokenizer().encode(text)[..1]);
        let firsts: Vec<String> = texts.iter().map(first).collect();
        firsts.into_iter().filter(|text| text.trim().len() > 1).collect()
    }

    #[test]
    fn a_single_letter_is_no_beginning_of_a_word() {
        let trie = hotwords(&["O'Sullivan"]);
        let tokens = tokenizer().encode(" O'Sullivan");
        assert_eq!(tokenizer().decode(&tokens[..1]), " O");
        assert!(trie.bonuses(&[11]).is_empty());
        let bonuses = trie.bonuses(&tokens[..1]);
        assert!(bonuses.iter().any(|&(token, bonus)| token == tokens[1] && bonus > 2.0));
    }

    #[test]
    fn signs_without_spaces_may_stand_anywhere() {
        let trie = hotwords(&["東京"]);
        let bare = tokenizer().encode("東京");
        let text = tokenizer().encode("私は");
        assert!(trie.bonuses(&text).iter().any(|&(token, _)| token == bare[0]));
    }

    #[test]
    fn a_phrase_is_preferred_over_its_spaces() {
        let trie = hotwords(&["  Grace   Hopper "]);
        let tokens = tokenizer().encode(" Grace Hopper");
        let bonuses = trie.bonuses(&tokens[..1]);
        assert!(bonuses.iter().any(|&(token, bonus)| token == tokens[1] && bonus > 2.0));
    }

    #[test]
    fn no_words_give_no_bonus() {
        for trie in [hotwords(&[]), hotwords(&["", "  "]), Hotwords::default()] {
            assert!(trie.bonuses(&[1, 2, 3]).is_empty());
            assert!(trie.bonuses(&[]).is_empty());
        }
    }
}
