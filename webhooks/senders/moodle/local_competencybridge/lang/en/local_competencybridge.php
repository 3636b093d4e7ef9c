<?php
// This file is part of Moodle - https://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

/**
 * English strings.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['badgerole'] = 'Role that may award by hand';
$string['badgerole_desc'] = 'New badges of the bridge get the criterion "Manual issue by role" with this role. Whoever has it, and the capability to award badges, can also award them by hand; the bridge then shows the difference.';
$string['badgeroledefault'] = 'The first role of the type Manager';
$string['competencybridge:managebadges'] = 'Manage, award and revoke the badges of the bridge';
$string['competencybridge:readchanges'] = 'Read completions, grades and accounts for the bridge';
$string['competencybridge:setstatus'] = 'Set the competency status of users for the bridge';
$string['competencybridge:viewstatus'] = 'See the competency status on the profile of others';
$string['errorbusy'] = 'Another call is awarding badges. Please try again.';
$string['errorcriterion'] = 'The badge has lost its manual criterion in Moodle. Save it again from the bridge.';
$string['errordeleted'] = 'The user was deleted in Moodle.';
$string['errorimage'] = 'The image must be a PNG of at most 2048 by 2048 pixels and 1 MB.';
$string['errorinactive'] = 'Access to the badge is disabled in Moodle.';
$string['errorlink'] = 'The link must be empty or begin with http:// or https://.';
$string['errorname'] = 'The key and the name of a badge have between 1 and 255 characters.';
$string['errornobadge'] = 'Moodle has no badge with this key.';
$string['errornotdelivered'] = 'The bridge could not be told of changes: {$a}';
$string['errornotheld'] = 'The user does not hold the badge.';
$string['errornouser'] = 'Moodle has no such user.';
$string['errorsecret'] = 'This is not a secret of the bridge: it begins with whsec_ and is copied whole.';
$string['errorstate'] = 'The state of a line is one of: current, due, gap, none.';
$string['errortoomany'] = 'At most {$a} in one call.';
$string['eventbadgerenewed'] = 'Badge renewed';
$string['eventbadgewithdrawn'] = 'Badge withdrawn by the bridge';
$string['pluginname'] = 'Competency Bridge';
$string['privacy:awards'] = 'Badges awarded by the bridge';
$string['privacy:changes'] = 'Changes noted for the bridge';
$string['privacy:metadata:award'] = 'Which issued badges the bridge awarded itself.';
$string['privacy:metadata:award:badgeid'] = 'The badge.';
$string['privacy:metadata:award:issuedid'] = 'The issued badge.';
$string['privacy:metadata:award:timecreated'] = 'When it was awarded.';
$string['privacy:metadata:award:userid'] = 'The user who holds it.';
$string['privacy:metadata:bridge'] = 'The bridge reads completions, grades and accounts by web service, to suggest evidence of competency to the learner.';
$string['privacy:metadata:bridge:account'] = 'Whether the account is confirmed, suspended or deleted.';
$string['privacy:metadata:bridge:badges'] = 'Which badges of the bridge the user holds, since when and until when.';
$string['privacy:metadata:bridge:completions'] = 'Which courses and activities the user completed, and when.';
$string['privacy:metadata:bridge:email'] = 'The email address, to find the same person in the bridge.';
$string['privacy:metadata:bridge:fullname'] = 'The full name.';
$string['privacy:metadata:bridge:grades'] = 'Grades of courses and activities that the user may see.';
$string['privacy:metadata:bridge:idnumber'] = 'The ID number, to find the same person in the bridge.';
$string['privacy:metadata:bridge:username'] = 'The username, to find the same person in the bridge.';
$string['privacy:metadata:core_badges'] = 'Badges that the bridge awards are kept by Moodle\'s own badges.';
$string['privacy:metadata:out'] = 'What changed, as ids, until the bridge has read it and the retention is over.';
$string['privacy:metadata:out:badgeid'] = 'The badge.';
$string['privacy:metadata:out:cmid'] = 'The activity.';
$string['privacy:metadata:out:courseid'] = 'The course.';
$string['privacy:metadata:out:itemid'] = 'The grade item.';
$string['privacy:metadata:out:kind'] = 'What happened.';
$string['privacy:metadata:out:timecreated'] = 'When it was noted.';
$string['privacy:metadata:out:userid'] = 'The user to whom it happened.';
$string['privacy:metadata:stat'] = 'What the profile page says about the competencies of the user.';
$string['privacy:metadata:stat:statuslines'] = 'The lines, each with a title, a text and a state.';
$string['privacy:metadata:stat:timemodified'] = 'When the bridge last changed it.';
$string['privacy:metadata:stat:timestatus'] = 'As of when the bridge says so.';
$string['privacy:metadata:stat:url'] = 'The link into the bridge.';
$string['privacy:metadata:stat:userid'] = 'The user.';
$string['profilecategory'] = 'Competency status';
$string['profileopen'] = 'Open in the Competency Bridge';
$string['profileupdated'] = 'As of';
$string['retention'] = 'Keep changes for (days)';
$string['retention_desc'] = 'Changes that the bridge has not read within this time are removed; it then reads everything again.';
$string['secret'] = 'Secret';
$string['secret_desc'] = 'Begins with whsec_; the bridge gives it. It signs what is sent, so that the bridge can tell that it comes from here.';
$string['secretold'] = 'Previous secret';
$string['secretold_desc'] = 'Only while the secret is being changed: both sign, so that nothing is refused in between. Empty it afterwards.';
$string['settings'] = 'Settings';
$string['settingsintro'] = '<p>The bridge reads completions and awards badges by web service: authorise its service user for the service "Competency Bridge (plugin)" at <a href="{$a->service}">External services</a>. What follows is only needed for changes to reach the bridge at once; without it, the bridge asks from time to time.</p><p><a href="{$a->test}">Test the connection</a></p>';
$string['state'] = 'How things stand';
$string['stateannounced'] = 'Announced up to number';
$string['statecurrent'] = 'Current';
$string['statedue'] = 'Due for renewal';
$string['statefailure'] = 'Last failure';
$string['stategap'] = 'Not yet shown';
$string['statelast'] = 'Last change noted, by number';
$string['stateon'] = 'Changes are announced';
$string['statesince'] = 'All changes are held since';
$string['statesite'] = 'Name of this site for the bridge';
$string['statesuccess'] = 'Last delivered';
$string['stateurl'] = 'Address of the bridge';
$string['taskannounce'] = 'Announce changes to the Competency Bridge';
$string['taskpurge'] = 'Remove old changes noted for the Competency Bridge';
$string['test'] = 'Test the connection';
$string['test401'] = 'The bridge refused the signature (401). Either the secret here is not the one in the bridge, or the clocks differ by more than five minutes. It is {$a->time} UTC here.';
$string['test404'] = 'There is no such address in the bridge (404). It ends with /hooks/moodle/ and the name that this Moodle has in the settings of the bridge.';
$string['test503'] = 'The bridge has too much waiting just now (503). The connection and the address are right; try again in a few minutes.';
$string['testblocked'] = 'Moodle\'s own rules forbid requests to {$a->url}: its host is blocked, or its port is not allowed. An administrator can change both at <a href="{$a->page}">HTTP security</a> ("cURL blocked hosts list" and "cURL allowed ports list"). Until then nothing is sent.';
$string['testintro'] = 'This sends a signed message to the bridge. It holds the name of this site and the time, and nothing about anybody.';
$string['testnoanswer'] = 'The bridge did not answer: {$a->error}. Check the address, whether this server can reach it, and its certificate.';
$string['testnohttps'] = 'The address does not begin with https. What is sent holds ids only and is signed, but others on the way could read it. <a href="{$a}">Settings</a>';
$string['testnosecret'] = 'There is no secret yet. <a href="{$a}">Settings</a>';
$string['testnotbridge'] = 'Something answered, but it is not the bridge. Check the address.';
$string['testnotsent'] = 'Nothing was sent. See below why.';
$string['testnourl'] = 'There is no address of the bridge yet. <a href="{$a}">Settings</a>';
$string['testoff'] = 'Changes are not announced: that is switched off. The test works all the same. <a href="{$a}">Settings</a>';
$string['testok'] = 'The bridge answered. It knows this Moodle as "{$a}", and the secret is right.';
$string['testother'] = 'The bridge answered with an error (HTTP {$a->code}). Its log says more.';
$string['testothersite'] = 'The bridge answered, and the secret is right, but as "{$a->source}" it knows another Moodle ({$a->known}; this one is {$a->site}). If this Moodle is a copy of that one, it must not use the same address.';
$string['testredirect'] = 'The address leads elsewhere (HTTP {$a->code}). Give the final address: redirections are not followed.';
$string['testsend'] = 'Send a test message';
$string['warnothercriteria'] = 'The badge also has other criteria in Moodle: while one of them is met, Moodle may award it again.';
$string['webhookon'] = 'Announce changes';
$string['webhookon_desc'] = 'Tell the bridge at once when something changed. Moodle\'s cron sends it.';
$string['webhookurl'] = 'Address of the bridge';
$string['webhookurl_desc'] = 'As the bridge shows it, for example https://bridge.example.org/hooks/moodle/moodle';
