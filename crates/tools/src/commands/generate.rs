//! What is made from the definition of the command line: completions and manual pages.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Outcome;
use crate::cli::Cli;

/// Writes the completions for a shell to stdout.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "scriven", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Outcome::Success)
}

/// Writes scriven(1) and a page for each command, scriven-start(1) and so on.
pub(crate) fn man(dir: &Path) -> anyhow::Result<Outcome> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    fs::create_dir_all(dir)
        .and_then(|()| write_pages(&command, dir))
        .with_context(|| format!("cannot write manual pages to {}", dir.display()))?;
    Ok(Outcome::Success)
}

fn write_pages(command: &Command, dir: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write_pages(subcommand, dir)?;
    }
    let source = concat!("scriven ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("Scriven");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let extra = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    page.extend(sections(&extra).into_bytes());
    fs::write(dir.join(man.get_filename()), page)
}

/// The end of a help text as sections of roff, its lines kept as they are.
fn sections(help: &str) -> String {
    let mut page = String::new();
    for line in help.lines() {
        let text = line.replace('\\', "\\\\").replace('-', "\\-");
        match text.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            Some(heading) => page.push_str(&format!(".SH {}\n.nf\n", heading.to_uppercase())),
            // A line that began with a dot would be a command.
            None => page.push_str(&format!("\\&{}\n", text.strip_prefix("  ").unwrap_or(&text))),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn headings_of_the_help_become_sections_of_the_page() {
        let help = "Examples:\n  scriven --help";
        assert_eq!(sections(help), ".SH EXAMPLES\n.nf\n\\&scriven \\-\\-help\n");
    }
}
