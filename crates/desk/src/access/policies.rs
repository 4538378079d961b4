//! The policies, and what they say of one request. Cedar decides; what errs is refused.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision as Said, Effect, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode,
    Validator,
};

use super::ask::{Action, Principal, Sort};

/// The policies that are built in.
pub const POLICIES: &str = include_str!("../../../../assets/policies/vigie.cedar");
/// What they can speak of.
pub const SCHEMA: &str = include_str!("../../../../assets/policies/vigie.cedarschema");

/// Policies, checked against the schema.
#[derive(Debug)]
pub(super) struct Policies {
    schema: Schema,
    set: PolicySet,
    authorizer: Authorizer,
}

fn words(error: &impl std::fmt::Display) -> String {
    error.to_string()
}

impl Policies {
    /// The built-in ones alone.
    ///
    /// # Errors
    /// What is wrong with them; a test holds that nothing is.
    pub(super) fn built_in() -> Result<Self, String> {
        let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| words(&e))?;
        if let Some(warning) = warnings.into_iter().next() {
            return Err(words(&warning));
        }
        let set = POLICIES.parse::<PolicySet>().map_err(|e| words(&e))?;
        let policies = Self { schema, set, authorizer: Authorizer::new() };
        policies.check(&policies.set)?;
        Ok(policies)
    }

    /// Whether policies are of this schema, and can come into play at all.
    fn check(&self, set: &PolicySet) -> Result<(), String> {
        let found = Validator::new(self.schema.clone()).validate(set, ValidationMode::Strict);
        if let Some(error) = found.validation_errors().next() {
            return Err(words(error));
        }
        // Such as one that can never apply: it would forbid nothing, and its author would not know.
        match found.validation_warnings().next() {
            Some(warning) => Err(words(warning)),
            None => Ok(()),
        }
    }

    /// Adds an authority's own file, which may forbid and nothing else.
    ///
    /// # Errors
    /// The line, and what is wrong there.
    pub(super) fn forbid(&mut self, file: &str, text: &str) -> Result<(), String> {
        if let Some(line) = super::own::first_permit(text) {
            return Err(format!(
                "line {line}: it permits, and an authority's own policies may only forbid: who may do \
                 what stands in the built-in ones (docs/access.md)"
            ));
        }
        let set = text.parse::<PolicySet>().map_err(|e| words(&e))?;
        if set.num_of_templates() > 0 {
            return Err("a template is no policy: write each out".to_owned());
        }
        self.check(&set)?;
        for (number, policy) in set.policies().enumerate() {
            // Said once more by who parsed it: a scanner of lines is not asked alone.
            if policy.effect() != Effect::Forbid {
                return Err(
                    "it permits, and an authority's own policies may only forbid".to_owned()
                );
            }
            let id = PolicyId::new(format!("{file}#{number}"));
            self.set.add(policy.new_id(id)).map_err(|e| words(&e))?;
        }
        Ok(())
    }

    /// True where the policies allow it. What cannot be asked or answered is not allowed.
    pub(super) fn allow(
        &self,
        who: &Principal,
        action: Action,
        of: Option<&str>,
        loopback: bool,
    ) -> bool {
        self.ask(who, action, of, loopback).unwrap_or(false)
    }

    fn ask(
        &self,
        who: &Principal,
        action: Action,
        of: Option<&str>,
        loopback: bool,
    ) -> Option<bool> {
        let resource = match action.sort() {
            Sort::Organisation => uid("Organisation", of?)?,
            Sort::Door => uid("Door", "")?,
            Sort::Case => uid("Case", "")?,
            Sort::House => uid("House", "")?,
            Sort::Authority => uid("Authority", "")?,
        };
        let principal = entity(who)?;
        let pair = ("loopback".to_owned(), RestrictedExpression::new_bool(loopback));
        let context = Context::from_pairs([pair]).ok()?;
        let request = Request::new(
            principal.uid(),
            uid("Action", action.word())?,
            resource,
            context,
            Some(&self.schema),
        )
        .ok()?;
        let entities = Entities::from_entities([principal], None).ok()?;
        let answer = self.authorizer.is_authorized(&request, &self.set, &entities);
        // A policy that errs is passed over by Cedar, a forbidding one too: then nothing is allowed.
        let erred = answer.diagnostics().errors().next().is_some();
        Some(!erred && answer.decision() == Said::Allow)
    }
}

fn uid(sort: &str, id: &str) -> Option<EntityUid> {
    let sort: EntityTypeName = sort.parse().ok()?;
    Some(EntityUid::from_type_name_and_id(sort, EntityId::new(id)))
}

/// Who asks, with the offices as parents.
fn entity(who: &Principal) -> Option<Entity> {
    let role = |word: &str| uid("Role", word);
    let (uid_of, roles, organisation) = match who {
        Principal::Nobody => (uid("Nobody", "")?, vec![role("nobody")?], None),
        Principal::Holder => (uid("Holder", "")?, vec![role("holder")?], None),
        Principal::Person { person, organisation, roles } => {
            let roles = roles.iter().map(|of| role(of.word())).collect::<Option<Vec<_>>>()?;
            (uid("Person", person)?, roles, Some(organisation))
        }
        Principal::Key { key, organisation, role: of } => {
            (uid("Key", key)?, vec![role(of.word())?], Some(organisation))
        }
    };
    let mut attributes = HashMap::new();
    if let Some(organisation) = organisation {
        let of = RestrictedExpression::new_entity_uid(uid("Organisation", organisation)?);
        attributes.insert("organisation".to_owned(), of);
    }
    Entity::new(uid_of, attributes, roles.into_iter().collect::<HashSet<_>>()).ok()
}
