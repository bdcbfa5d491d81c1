/** Bringing evidence: files with the day they were made and what they show. */
import { t } from "../../i18n";
import { toast } from "../../ui/toast";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { ProjectDetail } from "../types";
import { today } from "../days";
import { files, input, openForm } from "../../ui/keptForm";

export function openEvidence(desk: Desk, project: ProjectDetail): void {
  const photos = files("evidence-files", t("evidence.files"), {
    accept: "image/*,application/pdf,.docx,.xlsx,.mp4,.tif,.tiff,.zip",
    multiple: true,
    required: true,
    hint: t("order.photosHint"),
  });
  const taken = input("evidence-taken", t("evidence.taken"), { type: "date", required: true, max: today(), value: today() });
  const note = input("evidence-note", t("evidence.note"), { maxlength: 4000 });
  const sent = new Set<File>();
  openForm({
    key: `evidence ${project.id}`,
    title: t("evidence.add"),
    about: project.name,
    parts: [photos.element, taken.element, note.element],
    action: t("evidence.send"),
    send: async () => {
      const chosen = [...(photos.control.files ?? [])];
      for (const file of chosen.filter((one) => !sent.has(one))) {
        await writing.addEvidence(project.id, file, { name: file.name, note: note.control.value.trim(), taken: taken.control.value });
        sent.add(file);
      }
      toast(t("evidence.sent", { n: chosen.length }));
      await desk.after();
    },
  });
}
