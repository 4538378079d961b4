//! Through whom the house is reached: the thread that has it, or one's own hand where no server runs.

use shield::order::Refusal;

use super::house::{Ask, Done, House};
use super::keeper::Keeper;
use super::statement;
use crate::{Error, Result};

/// Through whom the house is reached: the thread that has it, or one's own hand where no server runs.
#[derive(Debug)]
pub enum Hand<'a> {
    /// The thread.
    Keeper(&'a Keeper),
    /// One's own.
    House(&'a mut House),
}

impl Hand<'_> {
    /// Asks the house something, or has something noted there.
    ///
    /// # Errors
    /// The house is closed.
    pub fn look<T: Send + 'static>(
        &mut self,
        look: impl FnOnce(&mut House) -> T + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Keeper(keeper) => keeper.look(look),
            Self::House(house) => Ok(look(house)),
        }
    }

    /// Has something done.
    ///
    /// # Errors
    /// The house is closed; the disk.
    pub fn act(&mut self, ask: Ask) -> Result<std::result::Result<Done, Refusal>> {
        match self {
            Self::Keeper(keeper) => keeper.act(ask),
            Self::House(house) => {
                let done = house.act(std::slice::from_ref(&ask))?.pop();
                done.ok_or_else(|| Error::Beside("nothing was answered".to_owned()))
            }
        }
    }

    /// Has an objection taken of who needs to show nothing, with its words sealed first.
    ///
    /// # Errors
    /// As [`Challenges::object`](super::challenge::Challenges::object).
    pub fn object(
        &mut self,
        ask: Ask,
        statement: String,
    ) -> Result<std::result::Result<Done, Refusal>> {
        let would = ask.clone();
        let would = self.look(move |house| {
            house.would(&would)?;
            Ok(statement::sealed_in(house, &statement))
        })?;
        match would {
            Ok(sealed) => sealed?,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.act(ask)
    }
}
