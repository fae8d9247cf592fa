/**
 * Errors as people read them: a title of our own for each code, and what can be done on this page.
 *
 * The API's hints speak of its routes and of the command line; where a page has a better answer, it
 * is here. Codes are listed in shared/sirene_shared/errors.py; an unknown one keeps the API's words.
 */

import type { ErrorBody } from "~/api/client";
import { type Language, useLanguage } from "./language";

interface Told {
  title: string;
  hint?: string;
}
type InBoth = Record<Language, Told>;

const told = (en: [string, string?], fr: [string, string?]): InBoth => ({ en: as(en), fr: as(fr) });
const as = ([title, hint]: [string, string?]): Told => (hint === undefined ? { title } : { title, hint });

const BY_CODE: Record<string, InBoth> = {
  unreachable: told(
    ["Sirene does not answer", "It may be restarting. This page goes on by itself once it is back."],
    ["Sirene ne répond pas", "Le service redémarre peut-être. La page reprend dès qu’il est de retour."],
  ),
  bus_unavailable: told(
    ["The message bus is away", "Sirene tries again by itself. If it stays so, look whether nats-server runs."],
    ["Le bus de messages est absent", "Sirene réessaie d’elle-même. Si cela dure, vérifiez que nats-server tourne."],
  ),
  disk_full: told(
    ["Not enough space on the disk", "Free some space, then try again: it goes on where it stopped."],
    ["Espace disque insuffisant", "Libérez de l’espace, puis réessayez : le téléchargement reprend où il en était."],
  ),
  volume_unwritable: told(
    ["The models folder cannot be written", "Check that it is mounted writable and belongs to the downloader’s user."],
    ["Le dossier des modèles n’est pas accessible en écriture", "Vérifiez le montage et le propriétaire du dossier."],
  ),
  hub_unauthorized: told(
    ["This model needs a token", "Its authors ask who downloads it. Enter a Hugging Face token in the settings, then try again."],
    ["Ce modèle demande un jeton", "Ses auteurs veulent savoir qui le télécharge. Saisissez un jeton Hugging Face dans les réglages, puis réessayez."],
  ),
  hub_token_refused: told(
    ["The token was refused", "It is wrong, expired or revoked. Enter another one in the settings, then try again."],
    ["Le jeton a été refusé", "Il est faux, expiré ou révoqué. Saisissez-en un autre dans les réglages, puis réessayez."],
  ),
  hub_forbidden: told(
    ["The model’s terms are not accepted yet", "Open the model’s page on the hub with the account of your token, accept the terms, then try again."],
    ["Les conditions du modèle ne sont pas encore acceptées", "Ouvrez la page du modèle avec le compte du jeton, acceptez les conditions, puis réessayez."],
  ),
  hub_file_missing: told(
    ["The hub does not have a file of this model", "It was moved or removed upstream; the catalogue must be updated."],
    ["Un fichier du modèle manque sur le hub", "Il a été déplacé ou retiré ; le catalogue doit être mis à jour."],
  ),
  hub_rate_limited: told(
    ["The hub asks to slow down", "Wait a little, then try again: it goes on where it stopped."],
    ["Le hub demande de ralentir", "Attendez un peu, puis réessayez : le téléchargement reprend où il en était."],
  ),
  hub_unavailable: told(
    ["The hub cannot be reached", "Check the network, then try again: it goes on where it stopped."],
    ["Le hub est injoignable", "Vérifiez le réseau, puis réessayez : le téléchargement reprend où il en était."],
  ),
  hub_offline: told(
    ["Sirene is set to stay offline", "Unset HF_HUB_OFFLINE, or import the model’s files from this computer."],
    ["Sirene est réglée hors ligne", "Retirez HF_HUB_OFFLINE, ou importez les fichiers depuis cet ordinateur."],
  ),
  origin_refused: told(
    ["A download address is not allowed", "If it is right, add its host to SIRENE_ALLOWED_ORIGINS."],
    ["Une adresse de téléchargement n’est pas autorisée", "Si elle est correcte, ajoutez son hôte à SIRENE_ALLOWED_ORIGINS."],
  ),
  size_mismatch: told(
    ["A file has the wrong size", "Nothing was installed. Try again; if it stays so, the model has changed upstream."],
    ["Un fichier n’a pas la bonne taille", "Rien n’a été installé. Réessayez ; si cela persiste, le modèle a changé en amont."],
  ),
  hash_mismatch: told(
    ["A file is not what was published", "Nothing was installed. Try again; if it stays so, the model has changed upstream."],
    ["Un fichier n’est pas celui publié", "Rien n’a été installé. Réessayez ; si cela persiste, le modèle a changé en amont."],
  ),
  lease_lost: told(["Another downloader took over"], ["Un autre téléchargeur a pris le relais"]),
  pull_cancelled: told(["The download was cancelled", ""], ["Le téléchargement a été annulé", ""]),
  pull_not_found: told(["There is no download of this model any more", ""], ["Ce téléchargement n’existe plus", ""]),
  model_not_installed: told(
    ["The model is not installed", "Install it on the Models page."],
    ["Le modèle n’est pas installé", "Installez-le sur la page Modèles."],
  ),
  model_damaged: told(
    ["The model’s files are damaged", "Repair it: only what is wrong is fetched again."],
    ["Les fichiers du modèle sont endommagés", "Réparez-le : seul ce qui est faux est téléchargé de nouveau."],
  ),
  model_in_use: told(
    ["The model is in use", "Wait until it has spoken, or unload it on the Memory page."],
    ["Le modèle est utilisé", "Attendez qu’il ait parlé, ou libérez-le sur la page Mémoire."],
  ),
  models_busy: told(
    ["All models in memory are busy", "Try again in a moment, or unload one on the Memory page."],
    ["Tous les modèles en mémoire sont occupés", "Réessayez dans un instant, ou libérez-en un sur la page Mémoire."],
  ),
  model_loading: told(
    ["The model is still loading", "Try again in a moment: the load goes on."],
    ["Le modèle est en cours de chargement", "Réessayez dans un instant : le chargement continue."],
  ),
  model_too_large: told(
    ["The model does not fit in memory", "Unpin another one, or raise INFERENCE_MAX_MEMORY."],
    ["Le modèle ne tient pas en mémoire", "Détachez-en un autre, ou augmentez INFERENCE_MAX_MEMORY."],
  ),
  load_failed: told(["The model could not be loaded"], ["Le modèle n’a pas pu être chargé"]),
  backend_missing: told(["The engine for this model is not installed"], ["Le moteur de ce modèle n’est pas installé"]),
  no_replica: told(
    ["No inference service is running", "Start one; with `sirene up` it comes back by itself."],
    ["Aucun service d’inférence ne tourne", "Démarrez-en un ; avec `sirene up`, il revient de lui-même."],
  ),
  runner_crashed: told(["The engine crashed", "Try again: it starts afresh."], ["Le moteur s’est arrêté", "Réessayez : il redémarre."]),
  runner_unstable: told(["The engine keeps crashing"], ["Le moteur s’arrête à répétition"]),
  out_of_memory: told(
    ["Memory ran out", "Try a shorter text, or unload another model."],
    ["La mémoire est épuisée", "Essayez un texte plus court, ou libérez un autre modèle."],
  ),
  speech_failed: told(["The speech could not be made"], ["La parole n’a pas pu être produite"]),
  audio_lost: told(["Part of the audio was lost", "Try again."], ["Une partie de l’audio a été perdue", "Réessayez."]),
  voice_not_found: told(["The model has no such voice"], ["Le modèle n’a pas cette voix"]),
  invalid_request: told(["That cannot be done as asked"], ["Cette demande n’est pas possible"]),
  payload_too_large: told(["That is too large"], ["C’est trop volumineux"]),
};

/** code: stable; error: gives its own words where we have none. */
export function errorText(error: ErrorBody, language: Language): { title: string; hint: string } {
  const told = BY_CODE[error.code]?.[language];
  return { title: told?.title ?? error.message, hint: told?.hint ?? error.hint };
}

export function useErrorText(error: ErrorBody): { title: string; hint: string } {
  return errorText(error, useLanguage());
}
